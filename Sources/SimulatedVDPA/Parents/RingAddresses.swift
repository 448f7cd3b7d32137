public import GuestMemory

/// The three parts of a ring, as `set_vq_address` hands them over.
public struct RingAddresses: Hashable, Sendable {
    /// The descriptor table.
    public var descriptorTable: IOVirtualAddress
    /// The avail ring.
    public var availRing: IOVirtualAddress
    /// The used ring.
    public var usedRing: IOVirtualAddress

    /// A ring of its parts.
    public init(
        descriptorTable: IOVirtualAddress, availRing: IOVirtualAddress, usedRing: IOVirtualAddress
    ) {
        self.descriptorTable = descriptorTable
        self.availRing = availRing
        self.usedRing = usedRing
    }

    /// What a ring has before anybody names its parts, and after a reset.
    public static let zero = RingAddresses(
        descriptorTable: IOVirtualAddress(rawValue: 0), availRing: IOVirtualAddress(rawValue: 0),
        usedRing: IOVirtualAddress(rawValue: 0))
}
