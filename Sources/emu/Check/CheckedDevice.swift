internal import Logging
internal import SimulatedConformance
internal import SimulatedVDPA
internal import SystemPackage
internal import VhostVDPA
internal import VhostVDPAConformance

/// A device that `emu check` opens again and again.
struct CheckedDevice {
    let opener: DeviceOpener

    /// Makes the simulated device, or opens the real one once to see that it can be.
    init(_ device: DeviceSpecification, logger: Logger) throws(StartError) {
        switch device.kind {
        case .simulated(let specification): opener = try Self.simulated(specification, logger)
        case .file(let path): opener = try Self.kernel(FilePath(path))
        case .descriptor:
            throw StartError(
                "emu check opens the device for every rule and cannot open an inherited descriptor again;"
                    + " give the device's path")
        }
    }

    private static func simulated(
        _ specification: SimulatedDeviceSpecification, _ logger: Logger
    ) throws(StartError) -> DeviceOpener {
        // The rules ask for refusals: a warning for each of them is for whoever asks to see more.
        var logger = logger
        if logger.logLevel == .warning { logger.logLevel = .error }
        do {
            // An account of pinned pages of its own, so that no other device of the process moves it.
            return try .simulation(specification, pinner: RegisteredBufferPinner(), logger: logger)
        } catch {
            throw StartError("the simulated device could not be made: \(error)")
        }
    }

    private static func kernel(_ path: FilePath) throws(StartError) -> DeviceOpener {
        do throws(VhostVDPAError) {
            try KernelFile(path: path).close()
        } catch {
            throw StartError("\(error)")
        }
        let text = KernelText.firstWord("/proc/sys/kernel/osrelease") ?? ""
        guard let release = KernelRelease(parsing: text) else {
            throw StartError(
                "/proc/sys/kernel/osrelease says '\(text)', which is no kernel release; mount /proc")
        }
        return .kernel(path, release: release)
    }
}
