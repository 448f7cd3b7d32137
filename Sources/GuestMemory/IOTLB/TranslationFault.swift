/// A device access that its IOTLB does not permit: the DMA fault of a real machine.
public struct TranslationFault: Error, Hashable, Sendable {
    /// The first address of the access that has no mapping or not the wanted permission.
    public let address: IOVirtualAddress
    /// What the device wanted to do there.
    public let access: MemoryAccess

    /// Makes a fault of the address that missed and the access that wanted it.
    @inlinable
    public init(address: IOVirtualAddress, access: MemoryAccess) {
        self.address = address
        self.access = access
    }
}
