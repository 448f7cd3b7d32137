package import GuestMemory

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

    package init() {}

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

    /// What the device's addresses translate to.
    package var entries: [TranslationEntry] { domain?.table.entries ?? [] }
}
