internal import CLinux
internal import Glibc
internal import GuestMemory
internal import LinuxHost
internal import SystemPackage

/// A second mapping of shared memory of a caller's, given back with the object.
///
/// What a pin is in the kernel: the pages stay within the device's reach when their owner unmaps them. Making one is a
/// system call or two and touches no page.
final class MemoryWindow: Sendable {
    /// The addresses of the client's own mapping, whole pages.
    let client: Range<UInt64>
    private let start: UInt64
    /// What is mapped here, whole huge pages where the file has such.
    private let mapped: Range<UInt64>
    /// What the kernel's handler of vanished pages has it by; `nil` where its length is nobody else's.
    private let watch: Int32?
    /// What the watch counts in.
    private let vanished: VanishedPages?

    /// Maps `client` again, which must be one area; `nil` where the kernel refuses, as for private memory.
    init?(_ client: Range<UInt64>) {
        var start: UInt64 = 0
        guard unsafe clinux_map_again(client.lowerBound, UInt64(client.count), &start) == 0 else {
            return nil
        }
        self.client = client
        self.start = start
        mapped = start..<start + UInt64(client.count)
        (watch, vanished) = (nil, nil)
    }

    /// Maps `client`, another process's addresses, by what they are mapped of: `file` from `offset` on. `nil` where the
    /// kernel refuses. Whoever has the file may take pages from it: each that is missed is counted in `vanished`.
    init?(
        _ client: Range<UInt64>, ofFile file: FileDescriptor, offset: UInt64, isWritable: Bool,
        vanished: VanishedPages? = nil
    ) {
        guard UInt64(client.count) < 1 << 62, offset < 1 << 62 else { return nil }
        let span = FileSpan(of: file, offset: offset, byteCount: UInt64(client.count))
        var address: UnsafeMutableRawPointer?
        let result = unsafe clinux_mmap(
            &address, Int(span.byteCount), isWritable ? PROT_READ | PROT_WRITE : PROT_READ,
            MAP_SHARED | MAP_NORESERVE, file.rawValue, off_t(span.offset))
        guard result == 0, let address = unsafe address else { return nil }
        let first = UInt64(UInt(bitPattern: address))
        let watch = unsafe clinux_watch_window(
            first, span.byteCount, span.pageByteCount, vanished?.counter)
        guard watch >= 0 else {
            _ = clinux_unmap_again(first, span.byteCount)
            return nil
        }
        self.client = client
        start = first + span.inset
        mapped = first..<first + span.byteCount
        (self.watch, self.vanished) = (watch, vanished)
    }

    deinit {
        if let watch { clinux_forget_window(watch) }
        _ = clinux_unmap_again(mapped.lowerBound, UInt64(mapped.count))
    }

    /// Whether the kernel calls what is mapped here by the same names as `file`, which is another process's.
    func isOf(_ file: ProcessMapping.File) -> Bool {
        guard let area = try? ProcessMappings.current(mapped).firstArea(endingAbove: mapped.lowerBound),
            let own = area.file
        else { return false }
        return own.device == file.device && own.inode == file.inode
    }

    /// Makes the pages present, as a pin does: EFAULT where the file ends before them, or there is no room for them.
    func populate(isWritable: Bool) throws(Errno) {
        let result = clinux_populate(mapped.lowerBound, UInt64(mapped.count), isWritable ? 1 : 0)
        guard result == 0 else { throw Errno(rawValue: -result) }
    }

    /// Where the byte at `address` of the client's is in this mapping.
    func address(of address: UInt64) -> HostAddress {
        HostAddress(rawValue: start + (address - client.lowerBound))
    }
}
