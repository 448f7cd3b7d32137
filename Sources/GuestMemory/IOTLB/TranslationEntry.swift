/// One mapping of an IOTLB: a run of I/O virtual addresses that is contiguous in host memory.
public struct TranslationEntry: Hashable, Sendable {
    /// The addresses the device uses.
    public let range: AddressRange<IOVirtualAddress>
    /// The host address of the range's first byte.
    public let host: HostAddress
    /// What the device may do there.
    public let access: MemoryAccess

    /// Makes an entry; that the host range neither wraps nor goes away is the caller's promise.
    @inlinable
    public init(range: AddressRange<IOVirtualAddress>, host: HostAddress, access: MemoryAccess) {
        self.range = range
        self.host = host
        self.access = access
    }
}
