internal import CLinux
internal import GuestMemory

/// A second mapping of shared memory of this process, given back with the object.
///
/// What a pin is in the kernel: the pages stay within the device's reach when their owner unmaps them. Making one is a
/// system call or two and touches no page.
final class MemoryWindow: Sendable {
    /// The addresses of the client's own mapping, whole pages.
    let client: Range<UInt64>
    private let start: UInt64

    /// Maps `client` again, which must be one area; `nil` where the kernel refuses, as for private memory.
    init?(_ client: Range<UInt64>) {
        var start: UInt64 = 0
        guard unsafe clinux_map_again(client.lowerBound, UInt64(client.count), &start) == 0 else {
            return nil
        }
        self.client = client
        self.start = start
    }

    deinit { _ = clinux_unmap_again(start, UInt64(client.count)) }

    /// Where the byte at `address` of the client's is in this mapping.
    func address(of address: UInt64) -> HostAddress {
        HostAddress(rawValue: start + (address - client.lowerBound))
    }
}
