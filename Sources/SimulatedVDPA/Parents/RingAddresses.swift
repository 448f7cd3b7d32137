package import GuestMemory

/// The three parts of a ring, as `set_vq_address` hands them over.
package struct RingAddresses: Hashable, Sendable {
    package var descriptorTable: IOVirtualAddress
    package var availRing: IOVirtualAddress
    package var usedRing: IOVirtualAddress

    package init(
        descriptorTable: IOVirtualAddress, availRing: IOVirtualAddress, usedRing: IOVirtualAddress
    ) {
        self.descriptorTable = descriptorTable
        self.availRing = availRing
        self.usedRing = usedRing
    }

    /// What a ring has before anybody names its parts, and after a reset.
    package static let zero = RingAddresses(
        descriptorTable: IOVirtualAddress(rawValue: 0), availRing: IOVirtualAddress(rawValue: 0),
        usedRing: IOVirtualAddress(rawValue: 0))
}
