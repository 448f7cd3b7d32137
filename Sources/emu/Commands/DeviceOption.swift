internal import ArgumentParser
internal import SimulatedVDPA

/// The `--device` of every command.
struct DeviceOption: ParsableArguments {
    @Option(
        help: Self.help(
            "sim[,key=value]…, /dev/vhost-vdpa-N, or fd:N for one the caller has opened (default: sim)."),
        completion: .list(["sim", "/dev/vhost-vdpa-0"]), transform: DeviceSpecification.init(parsing:))
    var device = DeviceSpecification.standard

    /// The help of an option that takes a device: `values`, and the keys of a simulated one.
    static func help(_ values: String) -> ArgumentHelp {
        ArgumentHelp(
            "The vDPA device: \(values)",
            discussion: "Keys of a simulated device, their values and [defaults]:\n" + keys, valueName: "spec"
        )
    }

    private static let keys = SimulatedDeviceKey.allCases.map { key in
        "\(key.rawValue)=  \(key.values) [\(key.standard)]: \(key.meaning)"
    }.joined(separator: "\n")
}
