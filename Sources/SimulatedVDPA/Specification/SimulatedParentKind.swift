/// The kind of parent driver a simulated device has, by the name the specification uses.
public enum SimulatedParentKind: String, CaseIterable, Sendable {
    /// No map operations: the platform's IOMMU.
    case platform
    /// An on-chip IOMMU that takes one entry at a time.
    case dmaMap = "dma-map"
    /// An on-chip IOMMU that takes the whole table.
    case setMap = "set-map"
    /// A vendor's IOMMU that declares persistence itself.
    case vendor
}
