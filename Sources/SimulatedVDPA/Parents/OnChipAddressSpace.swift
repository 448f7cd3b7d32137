package import GuestMemory
package import SystemPackage

/// One address space of an on-chip IOMMU: identity, or a table.
///
/// Identity translates an address to the *simulated host's* physical address of the same number (``KernelPages``).
/// No guest memory stands there, so a guest address that hits it faults.
package struct OnChipAddressSpace: Sendable {
    package private(set) var table: EntryTable
    /// The 1:1 state of creation and of `reset_map` (Linux 6.7 and later).
    package private(set) var isIdentity: Bool

    package init(limit: Int?, isIdentity: Bool) {
        table = EntryTable(limit: limit)
        self.isIdentity = isIdentity
    }

    /// Goes back to the initial state: identity, or an empty table before Linux 6.7.
    package mutating func reset(toIdentity: Bool) {
        table.removeAll()
        isIdentity = toIdentity
    }

    /// Replaces everything; on an error the table is left empty, as vdpa_sim leaves it.
    package mutating func replace(with entries: [TranslationEntry]) throws(Errno) {
        reset(toIdentity: false)
        for entry in entries {
            do throws(Errno) {
                try table.insert(entry)
            } catch {
                table.removeAll()
                throw error
            }
        }
    }

    /// Adds an entry; the first one ends the identity.
    package mutating func insert(_ entry: TranslationEntry) throws(Errno) {
        if isIdentity { reset(toIdentity: false) }
        try table.insert(entry)
    }

    /// Removes what touches `range`; even that ends the identity.
    package mutating func remove(_ range: AddressRange<IOVirtualAddress>) {
        if isIdentity { reset(toIdentity: false) }
        table.remove(touching: range.first.rawValue, through: range.last.rawValue)
    }
}
