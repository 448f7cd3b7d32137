package import GuestMemory
package import SystemPackage

/// What the device's IOMMU is for a driver in the kernel, which asks nobody for a map.
///
/// An on-chip IOMMU that has a 1:1 state is none of the DMA API's business: it hands out host-physical addresses, and
/// whether the device reaches them is up to the state the IOMMU is in. Everywhere else the DMA API maps: through the
/// platform's IOMMU, VDUSE's bounce pages (`vduse_domain_map_page`), or the table of 6.1's vdpa_sim
/// (`vdpasim_map_page`).
extension SimulatedParent {
    /// Where the DMA API maps: below 4 GiB in the platform's default domain, above every guest's addresses in a table
    /// that is the user's as well.
    private var kernelWindow: IOVirtualAddress {
        IOVirtualAddress(rawValue: platformIOMMU == nil ? 1 << 63 : 0xe000_0000)
    }

    package func mapKernelMemory(_ memory: AddressRange<HostAddress>) throws(Errno) -> IOVirtualAddress {
        let first =
            behaviour.startsInIdentity && platformIOMMU == nil
            ? IOVirtualAddress(rawValue: memory.first.rawValue)
            : kernelMemory.last.flatMap { $0.range.last.advanced(by: ByteCount(rawValue: 1)) }
                ?? kernelWindow
        guard let byteCount = memory.byteCount, let range = AddressRange(first: first, byteCount: byteCount)
        else { throw .invalidArgument }
        let entry = TranslationEntry(range: range, host: memory.first, access: .readWrite)
        if sharesTableWithKernel { try addressSpaces[0].insert(entry) }
        kernelMemory.append(entry)
        installKernelMemory()
        return first
    }

    package func unmapKernelMemory(_ memory: AddressRange<HostAddress>) {
        for entry in kernelMemory where entry.host == memory.first && sharesTableWithKernel {
            addressSpaces[0].remove(entry.range)
        }
        kernelMemory.removeAll { $0.host == memory.first }
        installKernelMemory()
    }

    /// The kernel's maps stand in the same table as the user's.
    private var sharesTableWithKernel: Bool { platformIOMMU == nil && !behaviour.startsInIdentity }

    private func installKernelMemory() {
        for space in 0..<max(1, addressSpaces.count) { installTranslation(ofAddressSpace: space) }
    }

    /// What the device reaches through an address space. In identity that is the kernel's memory at its host-physical
    /// addresses, and any other address faults; so is the default domain of the platform's IOMMU.
    func translation(ofAddressSpace space: Int) -> [TranslationEntry] {
        if let platformIOMMU { return platformIOMMU.domain == nil ? kernelMemory : platformIOMMU.entries }
        return addressSpaces[space].isIdentity ? kernelMemory : addressSpaces[space].table.entries
    }
}
