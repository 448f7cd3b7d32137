internal import ArgumentParser

/// The `--record` of every command that drives a device.
struct RecordOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write every call on the device with its answer to this file, as a script for emu replay; what was in it goes. docs/device-scripts.md",
            valueName: "file"),
        completion: .file(extensions: ["script"]))
    var record: String?

    /// The recording that was asked for.
    func recording(of device: DeviceSpecification) throws(StartError) -> Recording? {
        try record.map { (path) throws(StartError) in try Recording(path: path, of: device) }
    }
}
