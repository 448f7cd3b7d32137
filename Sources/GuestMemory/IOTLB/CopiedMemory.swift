internal import CLinux
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// Memory here that stands for memory of another process which cannot be mapped a second time: private memory, above all.
///
/// A table of translations has the addresses here. Nothing is in it of itself: whoever reads there copies from the process
/// before, and to the process what it has written there, and no other byte. Pages that nobody copies to take no memory. Any
/// thread.
package final class CopiedMemory: Sendable {
    private struct Reference {
        weak var memory: CopiedMemory?
    }

    /// Who is there, by the first address here: a table has addresses alone.
    private static let known = Mutex<[UInt64: Reference]>([:])

    private let start: UInt64
    private let byteCount: UInt64
    /// Where the first byte is the process's.
    private let place: MemoryPlace
    /// `/proc/PID/mem`, which is of this address space for ever: a process that has made an exec has another one, by the same
    /// number.
    private let memory: FileDescriptor

    /// Stands for `client`, addresses of `process`. `nil` where there are no addresses for it, or no such process.
    package init?(_ client: Range<UInt64>, of process: Int32) {
        let path = FilePath("/proc/\(process)/mem")
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard !client.isEmpty, client.count < 1 << 62,
            let memory = try? FileDescriptor.open(
                path, .readOnly, options: .closeOnExec, retryOnInterrupt: false)
        else { return nil }
        guard let made = unsafe mmap(nil, client.count, PROT_READ | PROT_WRITE, flags, -1, 0),
            unsafe made != MAP_FAILED
        else {
            try? memory.close()
            return nil
        }
        start = UInt64(UInt(bitPattern: made))
        byteCount = UInt64(client.count)
        place = MemoryPlace(process: process, address: client.lowerBound)
        self.memory = memory
        Self.known.withLock { $0[start] = Reference(memory: self) }
    }

    deinit {
        _ = Self.known.withLock { $0.removeValue(forKey: start) }
        try? memory.close()
        unsafe munmap(UnsafeMutableRawPointer(bitPattern: UInt(start)), Int(byteCount))
    }

    /// Where the byte at `address` of the process's is here.
    package func address(of address: UInt64) -> HostAddress {
        HostAddress(rawValue: start + (address - place.address))
    }

    /// Where the byte at `address` here is the process's; `nil` for one of other memory.
    package func place(of address: HostAddress) -> MemoryPlace? {
        guard address.rawValue >= start, address.rawValue - start < byteCount else { return nil }
        return place.advanced(by: Int(address.rawValue - start))
    }

    /// Whether the address space is gone: its process has ended, or made an exec. One system call.
    package var isGone: Bool { clinux_memory_is_gone(memory.rawValue) == 1 }

    /// Those that `entries` lead to.
    package static func behind(_ entries: [TranslationEntry]) -> [CopiedMemory] {
        let all = known.withLock { $0.values.compactMap(\.memory) }
        guard !all.isEmpty else { return [] }
        return all.filter { memory in entries.contains { memory.place(of: $0.host) != nil } }
    }
}
