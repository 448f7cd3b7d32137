import GuestMemory
import SeededRandom
import SimulatedVDPA
import SystemPackage
import Testing

@Suite("Entry tables")
struct EntryTableTests {
    static func entry(_ first: UInt64, _ last: UInt64) throws -> TranslationEntry {
        let range = try #require(
            AddressRange(first: IOVirtualAddress(rawValue: first), last: IOVirtualAddress(rawValue: last)))
        return TranslationEntry(range: range, host: HostAddress(rawValue: first), access: .readWrite)
    }

    /// Plain arrays, and the kernel's words: overlap is refused, removal takes every entry that touches.
    @Test("Random sequences agree with a plain list", arguments: 0..<20)
    func againstPlainList(_ seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        var table = EntryTable(limit: 12)
        var plain: [TranslationEntry] = []
        for _ in 0..<500 {
            let first = UInt64.random(in: 0..<100, using: &generator)
            let last = first + UInt64.random(in: 0..<10, using: &generator)
            let entry = try Self.entry(first, last)
            if Bool.random(using: &generator) {
                let overlaps = plain.contains { $0.range.overlaps(entry.range) }
                #expect(table.overlaps(entry.range) == overlaps)
                let expected: Errno? = overlaps ? .fileExists : plain.count == 12 ? .noSpace : nil
                #expect(Self.insert(entry, into: &table) == expected)
                if expected == nil { plain.append(entry) }
            } else {
                let touching = plain.filter {
                    $0.range.first.rawValue <= last && $0.range.last.rawValue >= first
                }
                #expect(Set(table.remove(touching: first, through: last)) == Set(touching))
                plain.removeAll { touching.contains($0) }
            }
            #expect(table.entries == plain.sorted { $0.range.first < $1.range.first })
        }
    }

    static func insert(_ entry: TranslationEntry, into table: inout EntryTable) -> Errno? {
        do throws(Errno) {
            try table.insert(entry)
            return nil
        } catch {
            return error
        }
    }

    @Test("A size of zero removes the entry that holds both sides of the boundary, as the kernel's test does")
    func emptyRemoval() throws {
        var table = EntryTable(limit: nil)
        try table.insert(try Self.entry(0, 9))
        try table.insert(try Self.entry(10, 19))
        #expect(table.remove(touching: 10, through: 9).isEmpty)
        #expect(table.remove(touching: 15, through: 14).count == 1)
        #expect(table.remove(touching: 0, through: .max).count == 1)
    }
}
