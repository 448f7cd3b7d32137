import Glibc
import GuestMemory
import Testing

/// Another process: one that sleeps until the test ends it.
@Suite("Memory of another process that is copied")
struct CopiedMemoryTests {
    private static func start() throws -> pid_t {
        var process: pid_t = 0
        let words: [UnsafeMutablePointer<CChar>?] = unsafe [strdup("sleep"), strdup("100"), nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        let result = unsafe posix_spawnp(&process, "sleep", nil, nil, words, nil)
        try #require(result == 0)
        return process
    }

    /// The stack of a process, whose lower end it has no use for.
    private static func stack(_ process: pid_t) -> Range<UInt64>? {
        guard let file = unsafe fopen("/proc/\(process)/maps", "r") else { return nil }
        defer { unsafe fclose(file) }
        var line = [CChar](repeating: 0, count: 512)
        while unsafe fgets(&line, 512, file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let words = text.split(separator: " ")
            guard words.count > 1, words.last == "[stack]" || words.last == "[stack]\n" else { continue }
            let ends = words[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            return ends.count == 2 ? ends[0]..<ends[1] : nil
        }
        return nil
    }

    @Test("is read from it and written to it, and nothing of it is here of itself; its end is seen")
    func copies() throws {
        let process = try Self.start()
        var isEnded = false
        defer { if !isEnded { kill(process, SIGKILL); waitpid(process, nil, 0) } }
        let client = try #require(Self.stack(process))
        let memory = try #require(CopiedMemory(client, of: process))
        #expect(!memory.isGone)
        let here = memory.address(of: client.lowerBound)
        let pointer = unsafe try #require(UnsafeMutablePointer<UInt64>(bitPattern: UInt(here.rawValue)))
        let place = try #require(memory.place(of: here))
        #expect(place == MemoryPlace(process: process, address: client.lowerBound))
        #expect(memory.place(of: memory.address(of: client.upperBound)) == nil)
        var copies = CopyList()
        copies.add(here, place, byteCount: 8)
        unsafe pointer.pointee = 0x1234_5678_9abc_def0
        #expect(copies.write().isEmpty)
        unsafe pointer.pointee = 0
        #expect(copies.read().isEmpty)
        #expect(unsafe pointer.pointee == 0x1234_5678_9abc_def0)
        // One that fails is told by its number, and the others are made.
        copies.removeAll()
        copies.add(here, MemoryPlace(process: process, address: 0), byteCount: 8)
        copies.add(memory.address(of: client.lowerBound + 8), place, byteCount: 8)
        #expect(copies.read() == [0])
        #expect(unsafe pointer[1] == 0x1234_5678_9abc_def0)
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
        isEnded = true
        #expect(memory.isGone)
        #expect(copies.read() == [0, 1])
    }

    @Test(
        "is found by the entries that lead to it, and by no others; of a process that is none there is none")
    func entries() throws {
        let process = try Self.start()
        defer { kill(process, SIGKILL); waitpid(process, nil, 0) }
        let memory = try #require(CopiedMemory(0x10_0000..<0x20_0000, of: process))
        func entry(_ host: HostAddress) throws -> TranslationEntry {
            TranslationEntry(
                range: try #require(
                    AddressRange(first: IOVirtualAddress(rawValue: 0), byteCount: ByteCount(4096))),
                host: host, access: .readWrite)
        }
        let other = try entry(HostAddress(rawValue: 0x1000))
        #expect(CopiedMemory.behind([other]).isEmpty)
        let found = CopiedMemory.behind([other, try entry(memory.address(of: 0x18_0000))])
        #expect(found.count == 1 && found.first === memory)
        #expect(CopiedMemory(0x10_0000..<0x10_0000, of: process) == nil)
        #expect(CopiedMemory(0x10_0000..<0x20_0000, of: -1) == nil)
    }
}
