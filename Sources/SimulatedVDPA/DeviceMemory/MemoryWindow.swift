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

    /// Maps `client` again, which must be one area; `nil` where the kernel refuses, as for private memory.
    init?(_ client: Range<UInt64>) {
        var start: UInt64 = 0
        guard unsafe clinux_map_again(client.lowerBound, UInt64(client.count), &start) == 0 else {
            return nil
        }
        self.client = client
        self.start = start
        mapped = start..<start + UInt64(client.count)
    }

    /// Maps `client`, another process's addresses, by what they are mapped of: `file` from `offset` on. `nil` where the
    /// kernel refuses.
    init?(_ client: Range<UInt64>, ofFile file: FileDescriptor, offset: UInt64, isWritable: Bool) {
        guard UInt64(client.count) < 1 << 62, offset < 1 << 62 else { return nil }
        let span = FileSpan(of: file, offset: offset, byteCount: UInt64(client.count))
        var address: UnsafeMutableRawPointer?
        let result = unsafe clinux_mmap(
            &address, Int(span.byteCount), isWritable ? PROT_READ | PROT_WRITE : PROT_READ,
            MAP_SHARED | MAP_NORESERVE, file.rawValue, off_t(span.offset))
        guard result == 0, let address = unsafe address else { return nil }
        let first = UInt64(UInt(bitPattern: address))
        self.client = client
        start = first + span.inset
        mapped = first..<first + span.byteCount
    }

    deinit { _ = clinux_unmap_again(mapped.lowerBound, UInt64(mapped.count)) }

    /// Where the byte at `address` of the client's is in this mapping.
    func address(of address: UInt64) -> HostAddress {
        HostAddress(rawValue: start + (address - client.lowerBound))
    }
}
