package import GuestMemory
package import SystemPackage

/// The kernel's `struct iommu_domain`: an address space of the platform's IOMMU, made and owned by whoever
/// attaches it.
///
/// vhost-vdpa has one for a parent without map operations. It knows nothing of the device's resets, which is why
/// maps in it survive every one of them.
package final class PlatformDomain {
    /// What is mapped. The IOMMU has as many entries as its page tables hold.
    package private(set) var table = EntryTable(limit: nil)
    /// Called after every change, while the domain is attached.
    var onChange: () -> Void = {}

    package init() {}

    /// `iommu_map`: EEXIST where something is mapped already, which vhost-vdpa rules out before it asks.
    package func map(_ entry: TranslationEntry) throws(Errno) {
        try table.insert(entry)
        onChange()
    }

    /// `iommu_unmap`.
    package func unmap(_ range: AddressRange<IOVirtualAddress>) {
        table.remove(touching: range.first.rawValue, through: range.last.rawValue)
        onChange()
    }

    /// What no sound platform does: forgets everything while vhost-vdpa believes it to stand.
    func loseEverything() {
        table.removeAll()
        onChange()
    }
}
