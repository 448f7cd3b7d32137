internal import ArgumentParser

/// The `--device` of every command.
struct DeviceOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The vDPA device: sim[,key=value]…, /dev/vhost-vdpa-N, or fd:N for one the caller has opened.",
            valueName: "spec"),
        transform: DeviceSpecification.init(parsing:))
    var device = DeviceSpecification.standard
}
