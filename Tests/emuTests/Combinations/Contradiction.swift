import Testing

/// Two keys that cannot stand together, as docs/simulated-devices.md lists them.
struct Contradiction: CustomTestStringConvertible, Sendable {
    typealias Key = DeviceChoice.Key

    /// The keys that a refusal names, and the document's words for their values.
    let keys: (Key, Key)
    let values: (String, String)
    /// The document's reason.
    let reason: String
    let applies: @Sendable (DeviceChoice) -> Bool

    var testDescription: String { "\(keys.0.rawValue)=\(values.0) with \(keys.1.rawValue)=\(values.1)" }

    private init(
        _ first: (Key, String), _ second: (Key, String), _ reason: String,
        _ applies: @escaping @Sendable (DeviceChoice) -> Bool
    ) {
        keys = (first.0, second.0)
        values = (first.1, second.1)
        self.reason = reason
        self.applies = applies
    }

    /// The line of the document's table.
    var line: String {
        func text(_ key: Key, _ value: String) -> String {
            value.isEmpty ? "`\(key.rawValue)=`" : "`\(key.rawValue)=\(value)`"
        }
        return "| \(text(keys.0, values.0)) | \(text(keys.1, values.1)) | \(reason) |"
    }

    /// Why `choice` cannot be; empty where it can.
    static func all(of choice: DeviceChoice) -> [Contradiction] { table.filter { $0.applies(choice) } }

    static let table: [Contradiction] =
        [Key.resetMap, .compatReset].map { key in
            Contradiction(
                (key, "on"), (.kernel, "6.1"), "the operation came with Linux 6.7",
                { $0[key] == "on" && $0.isBefore6_7 })
        }
        + [Key.resetMap, .compatReset, .wipeOnReset].map { key in
            Contradiction(
                (key, "on"), (.parent, "platform, stateful, vp-vdpa, vendor, vduse"),
                "these stand for drivers that have settled it",
                { $0[key] == "on" && !$0.choosesReset })
        }
        + [
            Contradiction(
                (.wipeOnReset, "on"), (.resetMap, "on"),
                "such a parent promises to keep its maps over a reset",
                { $0[.wipeOnReset] == "on" && $0.hasResetMap }),
            Contradiction(
                (.parent, "vendor"), (.kernel, "6.1"), "it declares IOTLB_PERSIST, which came with Linux 6.7",
                { $0.parent == "vendor" && $0.isBefore6_7 }),
            Contradiction(
                (.parent, "mlx5"), (.kernel, "6.1"), "its descriptor group came with Linux 6.7",
                { $0.parent == "mlx5" && $0.isBefore6_7 }),
            Contradiction(
                (.useVA, "on"), (.parent, "mlx5"), "the card is given physical addresses",
                { $0[.useVA] == "on" && $0.parent == "mlx5" }),
            Contradiction(
                (.useVA, "on"), (.parent, "platform, stateful, vp-vdpa"),
                "the platform's IOMMU is given physical addresses",
                { $0[.useVA] == "on" && $0.isOnPlatform }),
            Contradiction(
                (.useVA, "off"), (.parent, "vduse"), "VDUSE pins nothing",
                { $0[.useVA] == "off" && $0.parent == "vduse" }),
            Contradiction(
                (.fragment, ""), (.useVA, "on"), "only pinned pages have physical runs",
                { $0[.fragment] != nil && $0.usesVirtualAddresses }),
            Contradiction(
                (.memlock, ""), (.useVA, "on"), "nothing is pinned, so nothing is limited",
                { $0[.memlock] != nil && $0.usesVirtualAddresses }),
            Contradiction(
                (.entries, ""), (.kernel, "6.1"), "that kernel does not count entries",
                { $0[.entries] != nil && $0.isBefore6_7 }),
            Contradiction(
                (.profile, "vdpasim-net"), (.parent, "mlx5, platform, stateful, vp-vdpa, vendor, vduse"),
                "they are not vdpa_sim", { $0.isSimulator && !$0.isSoftware }),
            Contradiction(
                (.profile, "vdpasim-net"), (.queues, "2 and more"), "vdpa_sim_net has one pair",
                { $0.isSimulator && ($0[.queues] ?? "1") != "1" }),
            Contradiction(
                (.profile, "qemu-net"),
                (.parent, "set-map, dma-map, mlx5, platform, stateful, vendor, vduse"),
                "they are not vp_vdpa", { $0.isQEMU && $0.parent != "vp-vdpa" }),
            Contradiction(
                (.profile, "qemu-net"), (.queues, "2 and more"), "the card has one pair",
                { $0.isQEMU && ($0[.queues] ?? "1") != "1" }),
            Contradiction(
                (.useVA, "on"), (.profile, "vdpasim-net"), "with `kernel=6.1`, whose vdpa_sim pins",
                { $0.isSimulator && $0.isBefore6_7 && $0[.useVA] == "on" }),
            Contradiction(
                (.fault, "loses-maps"), (.kernel, "6.1"),
                "only a device that offers IOTLB_PERSIST can break the promise",
                { $0[.fault] == "loses-maps" && $0.isBefore6_7 }),
            Contradiction(
                (.fault, "loses-maps"), (.parent, "vduse"), "the same",
                { $0[.fault] == "loses-maps" && $0.parent == "vduse" }),
            Contradiction(
                (.fault, "loses-maps"), (.resetMap, "off"), "the same, for `set-map`, `dma-map` and `mlx5`",
                { $0[.fault] == "loses-maps" && $0.choosesReset && !$0.hasResetMap }),
            Contradiction(
                (.fault, "map-half-way"), (.parent, "set-map, mlx5, vduse"),
                "they get their map in one call",
                { $0[.fault] == "map-half-way" && ["set-map", "mlx5", "vduse"].contains($0.parent) }),
            Contradiction(
                (.fault, "set-map"), (.parent, "platform, stateful, vp-vdpa, dma-map, vendor"),
                "they have no `set_map`",
                { $0[.fault] == "set-map" && !["set-map", "mlx5", "vduse"].contains($0.parent) }),
            Contradiction(
                (.fault, "suspend"), (.parent, "stateful, vp-vdpa, vduse"),
                "they have no SUSPEND that could fail; VDUSE has one from 7.3 on",
                { $0[.fault] == "suspend" && !$0.canSuspend }),
        ]
}
