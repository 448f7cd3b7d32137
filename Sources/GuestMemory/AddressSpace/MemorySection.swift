/// One range of a rendered flat view: what the guest finds at these addresses, after priority and overlap.
public struct MemorySection: Hashable, Sendable {
    /// What stands behind a section.
    public enum Backing: Hashable, Sendable {
        /// RAM or ROM in shared memory; the host address of the section's first byte.
        case memory(host: HostAddress)
        /// A device's registers: no memory to map.
        case device
    }

    /// The guest physical addresses of the section.
    public let range: AddressRange<GuestPhysicalAddress>
    /// The name of the region that owns the range, as errors and listings print it.
    public let regionName: String
    /// The offset in that region of the section's first byte.
    public let regionOffset: ByteCount
    /// What stands behind it.
    public let backing: Backing
    /// Whether a write there changes nothing: ROM, or RAM the chipset write-protects.
    public let isReadOnly: Bool

    /// Makes a section of its parts.
    public init(
        range: AddressRange<GuestPhysicalAddress>, regionName: String, regionOffset: ByteCount,
        backing: Backing, isReadOnly: Bool
    ) {
        self.range = range
        self.regionName = regionName
        self.regionOffset = regionOffset
        self.backing = backing
        self.isReadOnly = isReadOnly
    }
}
