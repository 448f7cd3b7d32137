import SeededRandom
import Testing

@testable import SimulatedVDPA

@Suite("What is left of a pinned range")
struct PinnedPiecesTests {
    static let page: UInt64 = 4096

    @Test(
        "The rest and the hole are the range, in order and without overlap",
        arguments: 0..<200 as Range<UInt64>)
    func rest(_ seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let first = UInt64.random(in: 0..<1000, using: &generator) * Self.page
        let pages = UInt64.random(in: 1...9000, using: &generator)
        let range = first..<first + pages * Self.page
        let skipped = UInt64.random(in: 0..<pages, using: &generator)
        let length = UInt64.random(in: 1...(pages - skipped), using: &generator)
        let start = first + skipped * Self.page
        let hole = start..<start + length * Self.page
        let rest = PinnedPieces.rest(of: range, without: hole, page: Self.page)
        var all = rest + [hole]
        all.sort { $0.lowerBound < $1.lowerBound }
        #expect(all.first?.lowerBound == range.lowerBound)
        #expect(all.last?.upperBound == range.upperBound)
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(rest.allSatisfy { !$0.isEmpty && $0.lowerBound % Self.page == 0 })
        #expect(rest.count <= 2 * 5 + 2, "two a halving from 36 MB to 2 MB")
    }

    @Test("Page by page, a gigabyte is pinned again a few times over, and not once a page")
    func cost() {
        var held = [UInt64(0)..<(1 << 30)]
        var pinnedAgain: UInt64 = 0
        for start in stride(from: UInt64(0), to: 1 << 30, by: 1 << 16) {
            let hole = start..<start + 1 << 16
            let index = held.firstIndex { $0.contains(start) } ?? 0
            let rest = PinnedPieces.rest(of: held[index], without: hole, page: Self.page)
            pinnedAgain += rest.reduce(0) { $0 + UInt64($1.count) }
            held.replaceSubrange(index...index, with: rest)
        }
        #expect(held.isEmpty)
        #expect(pinnedAgain < 32 << 30)
    }
}
