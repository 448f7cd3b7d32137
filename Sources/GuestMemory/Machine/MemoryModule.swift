/// A piece of RAM plugged into a running machine, a DIMM.
public struct MemoryModule {
    /// The module's memory.
    public let block: RAMBlock
    /// Where the guest finds it.
    public let range: AddressRange<GuestPhysicalAddress>
    /// The region that stands for it in the machine's tree.
    let region: MemoryRegion
}
