/// A device's information as people read it.
struct InformationSummary {
    private let information: DeviceInformation

    init(_ information: DeviceInformation) { self.information = information }

    /// The summary, without a line break at its end.
    var text: String {
        let width = lines.map(\.label.count).max() ?? 0
        let table = lines.map { line in
            "  \(line.label)\(String(repeating: " ", count: width - line.label.count))  \(line.value)"
        }
        return (["\(information.device):"] + table).joined(separator: "\n")
    }

    private var lines: [(label: String, value: String)] {
        let configuration = information.configuration
        let link = configuration.linkUp.map { $0 ? "up" : "down" }
        return [
            ("device type", "\(information.deviceID)" + (information.deviceID == 1 ? " (network)" : "")),
            ("features", text(information.features)),
            ("backend features", text(information.backendFeatures)),
            ("queues", "\(information.queues.count), up to \(information.maximumQueueSize) descriptors each"),
            ("groups", groups),
            ("address spaces", number(information.addressSpaces)),
            ("IOVA range", "\(information.iovaRange.first) to \(information.iovaRange.last)"),
            ("configuration", "\(configuration.byteCount) bytes"),
            ("  MAC", configuration.mac ?? "-"),
            ("  MTU", number(configuration.mtu)),
            ("  link", link ?? "-"),
        ]
    }

    private var groups: String {
        guard let groups = information.groups else { return "-" }
        let members = (0..<groups).map { group in
            let queues = information.queues.filter { $0.group == group }.map { "\($0.index)" }
            return "\(group): " + (queues.isEmpty ? "none" : "queues \(queues.joined(separator: ", "))")
        }
        return "\(groups) (\(members.joined(separator: "; ")))"
    }

    private func text(_ features: DeviceInformation.Features) -> String {
        ([features.bits] + features.names).joined(separator: " ")
    }

    private func number(_ number: Int?) -> String { number.map { "\($0)" } ?? "-" }
}
