internal import ArgumentParser
internal import SimulatedVDPA

/// The `--device` of every command.
struct DeviceOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The vDPA device: sim[,key=value]…, /dev/vhost-vdpa-N, or fd:N for one the caller has opened (default: sim).",
            discussion: "Keys of a simulated device, their values and [defaults]:\n" + Self.keys,
            valueName: "spec"),
        transform: DeviceSpecification.init(parsing:))
    var device = DeviceSpecification.standard

    private static let keys = SimulatedDeviceKey.allCases.map { key in
        "\(key.rawValue)=  \(key.values) [\(key.standard)]: \(key.meaning)"
    }.joined(separator: "\n")
}
