import GuestMemory
import Testing

struct IOTLBTests {
    private func entry(
        _ first: UInt64, _ last: UInt64, host: UInt64 = 0x7000_0000, _ access: MemoryAccess = .readWrite
    ) throws -> TranslationEntry {
        TranslationEntry(range: try iova(first, last), host: HostAddress(rawValue: host), access: access)
    }

    @Test("A translation is the entry's host address plus the offset in the entry")
    func translates() throws {
        var iotlb = IOTLB()
        try iotlb.insert(entry(0x1000, 0x1fff, host: 0x9000))
        #expect(try iotlb.translate(IOVirtualAddress(rawValue: 0x1234), access: .read).rawValue == 0x9234)
    }

    @Test(
        "An access the entry does not permit is a fault at its address, as a miss is",
        arguments: [
            (.read, .read, true), (.read, .write, false), (.read, .readWrite, false), (.write, .write, true),
            (.write, .read, false), (.readWrite, .readWrite, true), (.readWrite, .write, true),
        ] as [(MemoryAccess, MemoryAccess, Bool)]
    )
    func permission(granted: MemoryAccess, wanted: MemoryAccess, allowed: Bool) throws {
        var iotlb = IOTLB()
        try iotlb.insert(entry(0x1000, 0x1fff, granted))
        let address = IOVirtualAddress(rawValue: 0x1800)
        if allowed {
            _ = try iotlb.translate(address, access: wanted)
        } else {
            let fault = TranslationFault(address: address, access: wanted)
            #expect(throws: fault) { try iotlb.translate(address, access: wanted) }
        }
        let miss = IOVirtualAddress(rawValue: 0x2000)
        #expect(throws: TranslationFault(address: miss, access: wanted)) {
            try iotlb.translate(miss, access: wanted)
        }
    }

    @Test("Removing a range takes every entry it touches, whole, and returns them in order")
    func removesWhole() throws {
        var iotlb = IOTLB()
        let entries = try [entry(0, 9), entry(10, 19), entry(30, 39), entry(40, 49)]
        for entry in entries.reversed() { try iotlb.insert(entry) }
        #expect(iotlb.entries == entries)
        #expect(try iotlb.removeAll(touching: iova(20, 29)) == [])
        #expect(try iotlb.removeAll(touching: iova(19, 30)) == Array(entries[1...2]))
        #expect(iotlb.entries == [entries[0], entries[3]])
        #expect(iotlb.count == 2)
    }

    @Test("Equal entries make equal IOTLBs, whatever the way to them")
    func equality() throws {
        var one = IOTLB()
        var other = IOTLB()
        try one.insert(entry(0, 9))
        try one.insert(entry(10, 19))
        try other.insert(entry(10, 19))
        #expect(one != other)
        var prefix = IOTLB()
        try prefix.insert(entry(0, 9))
        #expect(one != prefix && prefix != one)
        try prefix.insert(entry(10, 19, .read))
        #expect(one != prefix)
        try other.insert(entry(0, 9))
        #expect(one == other)
        #expect(one.hashValue == other.hashValue)
        one.removeAll()
        #expect(one.isEmpty)
        #expect(one == IOTLB())
    }
}
