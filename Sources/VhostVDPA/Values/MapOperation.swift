/// How a parent driver takes mappings: which of `vdpa_config_ops`' map operations it has (`include/linux/vdpa.h`).
public enum MapOperation: String, CaseIterable, Sendable {
    /// None: vhost-vdpa maps through the platform's IOMMU itself.
    case platform
    /// `set_map`: the parent is given the whole address space, again at every change or at the end of a batch.
    case setMap
    /// `dma_map` and `dma_unmap`: the parent is given one entry at a time, batch or not.
    case dmaMap

    /// What the kernel calls it.
    package var kernelName: String {
        switch self {
        case .platform: "iommu_map"
        case .setMap: "set_map"
        case .dmaMap: "dma_map"
        }
    }
}
