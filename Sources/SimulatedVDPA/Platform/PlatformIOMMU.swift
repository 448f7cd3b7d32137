package import GuestMemory
internal import SystemPackage

/// The platform's IOMMU in front of one device, as `vdpa_get_dma_dev` finds it.
///
/// Without a domain of somebody's own the device is in the kernel's default domain, where the kernel's own DMA
/// addresses translate and no guest address does.
package final class PlatformIOMMU {
    /// The addresses of VT-d with four levels of page table, `__DOMAIN_MAX_ADDR(48)` in
    /// drivers/iommu/intel/iommu.c; read as [0, 0xffffffffffff] from vp_vdpa behind QEMU's intel-iommu.
    package static let aperture: AddressRange<IOVirtualAddress> = {
        let first = IOVirtualAddress(rawValue: 0)
        guard let range = AddressRange(first: first, byteCount: ByteCount(rawValue: 1 << 48)) else {
            preconditionFailure("48 bits lie below the highest address")
        }
        return range
    }()

    /// What is attached; `nil` is the default domain.
    package private(set) var domain: PlatformDomain?
    /// Called whenever what the device's addresses mean has changed.
    var onChange: () -> Void = {}

    /// What is wrong with the device that it stands before, or with itself.
    private let faults: FaultInjector?

    /// An IOMMU with the device in the kernel's default domain.
    package init(faults: FaultInjector? = nil) { self.faults = faults }

    /// `iommu_attach_device`: the device translates through `domain` from now on.
    package func attach(_ domain: PlatformDomain) {
        detach()
        self.domain = domain
        domain.onChange = { [unowned self] in onChange() }
        onChange()
    }

    /// `iommu_detach_device`: back to the default domain.
    package func detach() {
        guard let domain else { return }
        domain.onChange = {}
        self.domain = nil
        onChange()
    }

    /// `iommu_map` in the domain that is attached, which fails as the device's fault says.
    func map(_ entry: TranslationEntry) throws(Errno) {
        guard let domain else { return }
        try faults?.checkMap(standing: domain.table.count)
        try domain.map(entry)
    }

    /// What the device's addresses translate to.
    package var entries: [TranslationEntry] { domain?.table.entries ?? [] }
}
