import GuestMemory
import SeededRandom
import Testing

struct IntervalMapTests {
    typealias Map = IntervalMap<IOVirtualAddress, Int>

    @Test("An address is in an entry from its first to its last byte and nowhere else")
    func lookup() throws {
        var map = Map()
        try map.insert(1, for: iova(10, 19))
        try map.insert(2, for: iova(20, 20))
        let found = [9, 10, 19, 20, 21].map { map.entry(containing: IOVirtualAddress(rawValue: $0))?.value }
        #expect(found == [nil, 1, 1, 2, nil])
    }

    @Test(
        "An overlap by one byte is refused, naming both ranges, and changes nothing",
        arguments: [(0, 10), (19, 30), (12, 13), (0, 100), (10, 19), (0, UInt64.max)] as [(UInt64, UInt64)]
    )
    func overlap(first: UInt64, last: UInt64) throws {
        var map = Map()
        try map.insert(1, for: iova(10, 19))
        let error = #expect(throws: IntervalOverlap<IOVirtualAddress>.self) {
            try map.insert(2, for: iova(first, last))
        }
        #expect(try error == IntervalOverlap(requested: iova(first, last), existing: iova(10, 19)))
        #expect(Array(map) == [try Map.Element(range: iova(10, 19), value: 1)])
    }

    @Test("The whole 64-bit space is a range like any other")
    func wholeSpace() throws {
        var map = Map()
        try map.insert(7, for: iova(0, .max))
        #expect(map.entry(containing: IOVirtualAddress(rawValue: .max))?.value == 7)
        #expect(throws: IntervalOverlap<IOVirtualAddress>.self) { try map.insert(8, for: iova(.max, .max)) }
        let removed = map.removeAll(touching: try iova(5, 5))
        #expect(removed == [try Map.Element(range: iova(0, .max), value: 7)])
        #expect(map.isEmpty)
        try map.insert(8, for: iova(.max, .max))
        try map.insert(9, for: iova(0, .max - 1))
        #expect(map.map(\.value) == [9, 8])
    }

    @Test("Any sequence of operations leaves what a plain array would hold", arguments: 0..<20)
    func oracle(seed: Int) throws {
        var random = SplitMix64(seed: seed)
        var map = Map()
        var oracle: [Map.Element] = []
        // Half the seeds live at the top of the space, where an exclusive end would wrap.
        let origin: UInt64 = seed.isMultiple(of: 2) ? 0 : .max - 1023
        func randomRange(_ longest: UInt64) throws -> AddressRange<IOVirtualAddress> {
            let first = UInt64.random(in: 0..<1024, using: &random)
            let last = min(1023, first + UInt64.random(in: 0..<longest, using: &random))
            return try iova(origin + first, origin + last)
        }
        for step in 0..<1500 {
            switch Int.random(in: 0..<40, using: &random) {
            case 0..<24:
                let range = try randomRange(16)
                let clash = oracle.first { $0.range.overlaps(range) }
                do throws(IntervalOverlap<IOVirtualAddress>) {
                    try map.insert(step, for: range)
                    #expect(clash == nil)
                    oracle.append(Map.Element(range: range, value: step))
                    oracle.sort { $0.range.first < $1.range.first }
                } catch {
                    #expect(error.existing == clash?.range)
                }
            case 24..<38:
                let range = try randomRange(random.chance(oneIn: 8) ? 400 : 24)
                #expect(map.firstEntry(touching: range) == oracle.first { $0.range.overlaps(range) })
                #expect(map.removeAll(touching: range) == oracle.filter { $0.range.overlaps(range) })
                oracle.removeAll { $0.range.overlaps(range) }
            case 38:
                let copy = map
                map.removeAll(touching: try iova(0, .max))
                #expect(map.isEmpty)
                map = copy
            default:
                guard random.chance(oneIn: 10) else { continue }
                map.removeAll()
                oracle.removeAll()
            }
            try #require(map.count == oracle.count)
            let address = IOVirtualAddress(rawValue: origin + UInt64.random(in: 0..<1024, using: &random))
            #expect(map.entry(containing: address) == oracle.first { $0.range.contains(address) })
            if step.isMultiple(of: 50) { #expect(Array(map) == oracle) }
        }
        #expect(Array(map) == oracle)
    }

    @Test("A value that is removed is not held any longer")
    func released() throws {
        final class Token {}
        var map = IntervalMap<IOVirtualAddress, Token>()
        weak var token: Token?
        do {
            let new = Token()
            token = new
            try map.insert(new, for: iova(0, 9))
        }
        #expect(token != nil)
        map.removeAll(touching: try iova(0, 9))
        #expect(token == nil)
    }

    @Test("Inserting in order keeps the tree shallow: 100,000 entries go in and out through every path")
    func large() throws {
        var map = Map()
        let count = 100_000
        for index in 0..<count {
            try map.insert(index, for: iova(UInt64(index) * 4096, UInt64(index) * 4096 + 4095))
        }
        // A degenerate tree would be as deep as it has entries; a balanced one is some tens deep.
        #expect(map.depth < 80)
        #expect(map.map(\.value) == Array(0..<count))
        let middle = map.removeAll(touching: try iova(25_000 * 4096, 75_000 * 4096 - 1))
        #expect(middle.map(\.value) == Array(25_000..<75_000))
        for index in stride(from: 25_000, to: 75_000, by: 2) {
            try map.insert(-index, for: iova(UInt64(index) * 4096, UInt64(index) * 4096 + 4095))
        }
        #expect(map.count == 75_000)
        #expect(map.depth < 80)
        let hole = IOVirtualAddress(rawValue: 25_001 * 4096)
        #expect(map.entry(containing: hole) == nil)
        #expect(map.entry(containing: IOVirtualAddress(rawValue: 50_000 * 4096 + 1))?.value == -50_000)
    }
}
