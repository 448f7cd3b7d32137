import CLinux
import Glibc
import Logging
import Synchronization
import SystemPackage
import Testing

@testable import GuestMemory

struct RAMBlockTests {
    /// Which pages of the block are resident.
    private func resident(_ block: RAMBlock) -> [Bool] {
        let count = Int(block.byteCount.rawValue / RAMBlock.hostPageSize.rawValue)
        var pages = [UInt8](repeating: 0, count: count)
        #expect(unsafe clinux_mincore(block.base, block.byteCount.rawValue, &pages) == 0)
        return pages.map { $0 & 1 == 1 }
    }

    @Test("A block is zeroed and mapped where it says, at a huge page's boundary when it can hold one")
    func basics() throws {
        let block = try RAMBlock.allocate(name: "block", byteCount: .mebibytes(6))
        #expect(block.hostRange.byteCount == .mebibytes(6))
        #expect(block.hostRange.first.rawValue == UInt64(UInt(bitPattern: unsafe block.base)))
        #expect(block.hostRange.first.isAligned(to: .mebibytes(2)))
        #expect(block.pages == .base)
        #expect(block.allocatedByteCount == .zero)
        #expect(unsafe block.base.load(fromByteOffset: (6 << 20) - 8, as: UInt64.self) == 0)
    }

    @Test("The memfd is shared: a second mapping of it sees the block's bytes, and the block the mapping's")
    func shared() throws {
        let block = try RAMBlock.allocate(name: "shared", byteCount: .mebibytes(2))
        var second: UnsafeMutableRawPointer?
        let size = block.byteCount.rawValue
        #expect(unsafe clinux_map_shared(block.fileDescriptor.rawValue, size, 4096, 0, &second) == 0)
        guard let mapping = unsafe second else {
            Issue.record("no second mapping")
            return
        }
        defer { _ = unsafe clinux_unmap(mapping, size) }
        #expect(unsafe mapping != block.base)
        unsafe block.base.storeBytes(of: 0xfeed, toByteOffset: 0x12340, as: UInt64.self)
        #expect(unsafe mapping.load(fromByteOffset: 0x12340, as: UInt64.self) == 0xfeed)
        unsafe mapping.storeBytes(of: 0xbeef, toByteOffset: (2 << 20) - 8, as: UInt64.self)
        #expect(unsafe block.base.load(fromByteOffset: (2 << 20) - 8, as: UInt64.self) == 0xbeef)
    }

    @Test("The memfd is sealed: nobody can change its size")
    func sealed() throws {
        let block = try RAMBlock.allocate(name: "sealed", byteCount: .mebibytes(2))
        let file = block.fileDescriptor
        let seals = clinux_get_seals(file.rawValue)
        #expect(seals & clinux_seal_shrink != 0)
        for size in [0, 4096, 4 << 20] as [UInt64] {
            #expect(clinux_set_file_size(file.rawValue, size) == -Errno.notPermitted.rawValue)
        }
    }

    @Test(
        "A size no block can have is refused by name",
        arguments: [0, 1, 4095, 4097, (1 << 30) + 512, UInt64.max] as [UInt64]
    )
    func invalidSize(bytes: UInt64) throws {
        let error = #expect(throws: GuestMemoryError.self) {
            try RAMBlock.allocate(name: "odd", byteCount: ByteCount(rawValue: bytes))
        }
        #expect(error?.code == .invalidSize)
        #expect(try #require(error?.description).contains("odd"))
    }

    @Test(
        "What the kernel refuses names block, size, errno and a way out, and leaks no descriptor",
        arguments: [1 << 62, UInt64.max & ~4095] as [UInt64]
    )
    func kernelRefuses(bytes: UInt64) throws {
        let size = ByteCount(rawValue: bytes)
        let error = #expect(throws: GuestMemoryError.self) {
            try RAMBlock.allocate(name: "giant", byteCount: size)
        }
        let text = try #require(error?.description)
        #expect(error?.code == .allocationFailed)
        let errno = try #require(error?.errno)
        for part in ["giant", "\(size)", "\(errno)", "choose a smaller size"] {
            #expect(text.contains(part), "\(text) lacks \(part)")
        }
        #expect(!openMemfdNames().contains { $0.contains("giant") })
    }

    @Test("A block that nobody holds is unmapped and its memfd closed")
    func released() throws {
        var block: RAMBlock? = try RAMBlock.allocate(name: "short-lived", byteCount: .mebibytes(2))
        let range = try #require(block?.hostRange)
        #expect(openMemfdNames().contains { $0.contains("short-lived") })
        block = nil
        #expect(!openMemfdNames().contains { $0.contains("short-lived") })
        #expect(!mappings().contains { $0.contains("memfd:short-lived") }, "\(range) is still mapped")
    }

    @Test("A block larger than the machine may be made, and is sparse")
    func sparse() throws {
        let block = try RAMBlock.allocate(name: "sparse", byteCount: .gibibytes(1024))
        unsafe block.base.storeBytes(of: 7, toByteOffset: (1 << 40) - 1, as: UInt8.self)
        #expect(block.allocatedByteCount == RAMBlock.hostPageSize)
    }

    @Test(
        "A prefault that is asked to end does so between two chunks, says how far it came, and the block stays usable",
        arguments: [1, 2])
    func cancelled(threads: Int) throws {
        let block = try RAMBlock.allocate(name: "cancelled", byteCount: .mebibytes(160))
        let asked = Atomic<Int>(0)
        let error = #expect(throws: GuestMemoryError.self) {
            try block.prefault(
                threads: threads, isCancelled: { asked.add(1, ordering: .relaxed).newValue > 3 })
        }
        #expect(error?.code == .cancelled)
        #expect(
            error?.description.contains("cancelled") == true
                && error?.description.contains("48M done") == true)
        #expect(block.allocatedByteCount == .mebibytes(48))
        try block.prefault(threads: threads)
        #expect(block.allocatedByteCount == block.byteCount)
    }

    @Test("A prefault of more than is available is refused by name before a page is touched")
    func tooLarge() throws {
        let machine = try #require(AvailableMemory.current.available())
        let size = ByteCount(rawValue: (machine.bytes.rawValue * 2) & ~((2 << 20) - 1))
        let block = try RAMBlock.allocate(name: "too-large", byteCount: size)
        let error = #expect(throws: GuestMemoryError.self) { try block.prefault() }
        let text = try #require(error?.description)
        #expect(error?.code == .notEnoughMemory)
        for part in ["too-large", "\(size)", machine.source] { #expect(text.contains(part), "\(text)") }
        #expect(block.allocatedByteCount == .zero)
    }

    @Test("What a block has allocated already needs no more memory")
    func secondPrefault() throws {
        let block = try RAMBlock.allocate(name: "twice", byteCount: .mebibytes(4))
        let roomy = AvailableMemory { $0 == "/proc/meminfo" ? "MemAvailable: 4096 kB" : nil }
        let full = AvailableMemory { $0 == "/proc/meminfo" ? "MemAvailable: 0 kB" : nil }
        #expect(throws: GuestMemoryError.self) {
            try block.prefault(threads: 1, memory: full, interval: .zero) { _, _ in }
        }
        try block.prefault(threads: 1, memory: roomy, interval: .zero) { _, _ in }
        try block.prefault(threads: 1, memory: full, interval: .zero) { _, _ in }
        #expect(block.allocatedByteCount == .mebibytes(4))
    }

    @Test(
        "A prefault makes every page resident and changes no byte", arguments: [1, 2, 5],
        [4, 16 << 10, 40 << 10])
    func prefault(threads: Int, kibibytes: Int) throws {
        let block = try RAMBlock.allocate(name: "prefault", byteCount: .kibibytes(kibibytes))
        let last = kibibytes * 1024 - 8
        unsafe block.base.storeBytes(of: 0xabcd, toByteOffset: last, as: UInt64.self)
        #expect(kibibytes == 4 || resident(block).contains(false))
        try block.prefault(threads: threads)
        #expect(!resident(block).contains(false))
        #expect(block.allocatedByteCount == block.byteCount)
        #expect(unsafe block.base.load(fromByteOffset: last, as: UInt64.self) == 0xabcd)
    }

    @Test("Progress only grows, and ends with everything done")
    func progress() throws {
        let block = try RAMBlock.allocate(name: "progress", byteCount: .mebibytes(80))
        var reports: [ByteCount] = []
        try block.prefault(threads: 2, memory: .current, interval: .zero) { done, total in
            #expect(total == .mebibytes(80))
            reports.append(done)
        }
        #expect(reports == reports.sorted())
        #expect(reports.count >= 2)
        #expect(reports.last == .mebibytes(80))
    }

    @Test("A prefault quicker than the interval reports nothing")
    func quiet() throws {
        let block = try RAMBlock.allocate(name: "quiet", byteCount: .mebibytes(4))
        try block.prefault(threads: 1, memory: .current, interval: .seconds(3600)) { _, _ in
            Issue.record("progress reported")
        }
    }

    @Test(
        "A block says what pages it got, and each step of a fallback is logged", arguments: PageKind.allCases)
    func fallback(wanted: PageKind) throws {
        let recorder = LogRecorder()
        let block = try RAMBlock.allocate(
            name: "huge", byteCount: .mebibytes(4), pages: wanted, logger: recorder.logger
        )
        unsafe block.base.storeBytes(of: 1, as: UInt8.self)
        let order: [PageKind] = [.explicit, .transparent, .base]
        let steps = try #require(order.firstIndex(of: block.pages)) - #require(order.firstIndex(of: wanted))
        #expect(recorder.lines.count == steps)
        #expect(recorder.lines.allSatisfy { $0.level == .warning && $0.metadata["block"] == "huge" })
        #expect(recorder.lines.allSatisfy { $0.metadata["reason"]?.isEmpty == false })
        if steps > 0 { #expect(recorder.lines.last?.metadata["gets"] == block.pages.rawValue) }
    }

    @Test("A size that is no multiple of a huge page falls back to smaller ones, whatever the pool holds")
    func oddSizeFallsBack() throws {
        let recorder = LogRecorder()
        let block = try RAMBlock.allocate(
            name: "odd", byteCount: .kibibytes(1028), pages: .explicit, logger: recorder.logger
        )
        #expect(block.pages == .base)
        #expect(recorder.lines.map { $0.metadata["gets"] } == ["transparent", "base"])
    }
}

/// The names of this process's open memfds, as /proc has them.
private func openMemfdNames() -> [String] {
    (0..<Int32(1024)).compactMap { number in
        var target = [UInt8](repeating: 0, count: 512)
        let count = unsafe target.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return 0 }
            return unsafe readlink("/proc/self/fd/\(number)", start, buffer.count)
        }
        return count > 0 ? String(decoding: target[..<count], as: UTF8.self) : nil
    }
}

/// The lines of this process's memory map.
private func mappings() -> [String] {
    (AvailableMemory.current.read("/proc/self/maps") ?? "").split(separator: "\n").map(String.init)
}
