package import GuestMemory

/// A device seen from inside: what its IOMMU holds and what went wrong.
package struct ParentDiagnostics: Sendable {
    /// What the device's own IOMMU holds, one value per address space.
    package struct AddressSpace: Hashable, Sendable {
        package var entries: [TranslationEntry]
        /// The 1:1 state, in which no guest address translates.
        package var isIdentity: Bool

        package init(entries: [TranslationEntry], isIdentity: Bool) {
            self.entries = entries
            self.isIdentity = isIdentity
        }
    }

    package var addressSpaces: [AddressSpace]
    /// The address space each group of queues uses.
    package var groupAddressSpaces: [UInt32]
    /// Queues that process descriptors now.
    package var runningQueues: [Int]
    package var faultCount: Int
    /// The latest faults, oldest first, ``ParentEvents/recentFaultLimit`` at most.
    package var recentFaults: [RecordedFault]
    package var brokenQueues: [BrokenQueue]
    package var needsReset: Bool

    /// Of a device into which nobody looks.
    static let unknown = ParentDiagnostics(
        addressSpaces: [], groupAddressSpaces: [], runningQueues: [], faultCount: 0, recentFaults: [],
        brokenQueues: [], needsReset: false)
}
