internal import CLinux
internal import GuestMemory
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
        var again = clinux_file_mapping(start: 0, byte_count: 0, skipped: 0)
        guard
            unsafe clinux_map_file(file.rawValue, offset, UInt64(client.count), isWritable ? 1 : 0, &again)
                == 0
        else { return nil }
        self.client = client
        start = again.start + again.skipped
        mapped = again.start..<again.start + again.byte_count
    }

    deinit { _ = clinux_unmap_again(mapped.lowerBound, UInt64(mapped.count)) }

    /// Where the byte at `address` of the client's is in this mapping.
    func address(of address: UInt64) -> HostAddress {
        HostAddress(rawValue: start + (address - client.lowerBound))
    }
}
