internal import SimulatedVDPA
internal import VhostVDPAConformance

/// Every kind of simulated device, by its specification. A parent, a kernel or a profile that comes is in both lists by
/// itself.
package enum SimulatedKinds {
    /// For the rules: each parent and each profile with each kernel that has it; and, of the kernel that a device has by
    /// default, each parent with one way of mapping or of resetting that it has not by default.
    package static let forRules: [String] = distinct(
        kinds(parents, kernels, profiles)
            + kinds(parents, [standardKernel], profiles, switches(.useVA))
            + [SimulatedDeviceKey.resetMap, .compatReset, .wipeOnReset].flatMap { key in
                kinds(parents, [standardKernel], switches(key))
            },
        by: \.self)

    /// For sequences of map operations: each row of the decision table that a parent, a kernel and a profile can be in, with
    /// a limit that the sequences reach where the kernel has one, and with memory in pieces where it is pinned.
    package static let forSequences: [String] = distinct(
        (kinds(
            parents, kernels, switches(.useVA), switches(.resetMap), switches(.compatReset),
            switches(.wipeOnReset))
            + kinds(parents, kernels, profiles, switches(.useVA))
            + kinds(parents, [standardKernel], switches(.useVA), words(.fragment, ["4K", "8K"])))
            .map(limited),
        by: { Row(kernel: $0.kernel, parent: $0.parent, profile: $0.profile, map: MapProfile($0)) })

    /// What tells one kind from another for sequences.
    private struct Row: Hashable {
        let kernel: KernelVersion
        let parent: SimulatedParentKind
        let profile: SimulatedDeviceProfile
        let map: MapProfile
    }

    // MARK: What there is

    private static let parents = words(.parent, SimulatedParentKind.allCases.map(\.rawValue))
    private static let kernels = words(.kernel, KernelVersion.allCases.map(\.rawValue))
    private static let standardKernel = words(
        .kernel, [SimulatedDeviceSpecification.standard.kernel.rawValue])[0]
    /// The standard one is what a device has without a word.
    private static let profiles =
        [""] + words(.profile, SimulatedDeviceProfile.allCases.filter { $0 != .standard }.map(\.rawValue))

    private static func words(_ key: SimulatedDeviceKey, _ values: [String]) -> [String] {
        values.map { "\(key.rawValue)=\($0)" }
    }

    private static func switches(_ key: SimulatedDeviceKey) -> [String] { [""] + words(key, ["on", "off"]) }

    /// Each choice of one word of each list that is a device.
    private static func kinds(_ choices: [String]...) -> [String] {
        choices.reduce(["sim"]) { texts, words in
            texts.flatMap { text in words.map { $0.isEmpty ? text : "\(text),\($0)" } }
        }.filter { specification($0) != nil }
    }

    /// The same device with so few entries that sequences reach the limit, where its kernel has one.
    private static func limited(_ text: String) -> String {
        let limited = "\(text),\(SimulatedDeviceKey.entries.rawValue)=6"
        return specification(limited) == nil ? text : limited
    }

    private static func specification(_ text: String) -> SimulatedDeviceSpecification? {
        try? SimulatedDeviceSpecification(parsing: text)
    }

    /// The first of those that are the same device by `key`, in their order.
    private static func distinct<Key: Hashable>(
        _ texts: [String], by key: (SimulatedDeviceSpecification) -> Key
    ) -> [String] {
        var seen: Set<Key> = []
        return texts.filter { text in specification(text).map { seen.insert(key($0)).inserted } ?? false }
    }
}
