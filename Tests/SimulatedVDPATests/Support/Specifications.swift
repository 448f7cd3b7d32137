/// The devices the rules run on.
enum Specifications {
    /// `set_map` on every kernel, and the `dma_map` parent.
    static let all = [
        "sim", "sim,kernel=6.1", "sim,kernel=7.2", "sim,kernel=7.3", "sim,parent=dma-map", "sim,use-va=off",
    ]
    /// `set_map` on every kernel, by virtual address.
    static let setMap = ["sim", "sim,kernel=6.1", "sim,kernel=7.2", "sim,kernel=7.3"]
    /// The devices that offer IOTLB_PERSIST.
    static let persistent = ["sim", "sim,kernel=7.2", "sim,kernel=7.3", "sim,parent=dma-map"]
    /// The devices that pin.
    static let pinned = ["sim,use-va=off", "sim,kernel=6.1,use-va=off", "sim,use-va=off,fragment=4K"]
    /// A device behind every kind of parent.
    static let parents = [
        "sim", "sim,parent=dma-map", "sim,parent=mlx5", "sim,parent=platform", "sim,parent=stateful",
        "sim,parent=vendor", "sim,parent=vduse", "sim,parent=vp-vdpa",
    ]
    /// The devices behind the platform's IOMMU.
    static let platform = ["sim,parent=platform", "sim,parent=stateful", "sim,parent=vp-vdpa"]
}
