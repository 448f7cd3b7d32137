internal import DeviceScripts
internal import EmulatedMachine
internal import LinuxHost
internal import Logging
internal import SimulatedConformance
internal import SimulatedVDPA
internal import SystemPackage
internal import VhostVDPA
internal import VhostVDPAConformance

/// A device that `emu check` opens again and again.
struct CheckedDevice {
    let opener: DeviceOpener
    private let presence: DevicePresence?

    /// Makes the simulated device, or opens the real one once to see that it can be. `interrupt` ends the rules' waits;
    /// `recorder` writes down what is done to the device from then on.
    init(
        _ device: DeviceSpecification, logger: Logger, interrupt: RunInterrupt,
        recorder: ScriptRecorder? = nil
    ) throws(StartError) {
        var opener: DeviceOpener
        try device.checkMachine()
        switch device.kind {
        case .simulated(let specification):
            opener = try Self.simulated(specification, logger)
            presence = nil
        case .file(let path):
            let presence = DevicePresence()
            opener = try Self.kernel(FilePath(path), presence)
            self.presence = presence
        case .descriptor:
            throw StartError(
                "emu check opens the device for every rule and cannot open an inherited descriptor again;"
                    + " give the device's path")
        }
        opener.isInterrupted = { interrupt.wasRaised }
        self.opener = recorder.map(opener.recorded) ?? opener
    }

    /// Why no further rule can be asked: a real device was removed since it was first opened, or the worker of a simulated
    /// one has stopped. `nil` where it can.
    var failure: String? {
        if presence?.isGone ?? false { return Self.goneText }
        return opener.failure().map { "\($0): the check ended" }
    }

    private static let goneText =
        "the device went away (vdpa dev del?): the check ended and closed it; add it again to go on"

    /// What the device is, or why it is none that a rule could be asked of.
    func traits() throws(StartError) -> DeviceTraits {
        do throws(RuleInterruption) {
            return try DeviceTraits.probe(opener)
        } catch {
            if case .notAsked(let reason) = error {
                throw StartError("the device could not be asked what it is: \(reason)")
            }
            throw StartError("the device does not answer what every vhost-vdpa device does: \(error)")
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

    private static func kernel(
        _ path: FilePath, _ presence: DevicePresence
    ) throws(StartError) -> DeviceOpener {
        do throws(VhostVDPAError) {
            // It asks what every vhost-vdpa device answers: nothing is written to a file of another kind.
            try KernelFile(path: path).close()
        } catch {
            throw StartError("\(error)")
        }
        let text = KernelText.firstWord("/proc/sys/kernel/osrelease") ?? ""
        guard let release = KernelRelease(parsing: text) else {
            throw StartError(
                "/proc/sys/kernel/osrelease says '\(text)', which is no kernel release; mount /proc")
        }
        return .kernel(path, release: release, presence: presence)
    }
}

/// Whether a device that is opened again and again is still there. Control thread.
final class DevicePresence {
    private var wasMissed = false
    private var file: KernelFile?

    /// Whether it is gone: an open found none, or sysfs has it no more. Looks, with one or two system calls.
    var isGone: Bool {
        // sysfs says so of a file that is closed, too.
        if file?.isGone == true { wasMissed = true }
        return wasMissed
    }

    /// A further open of the device.
    func opened(_ file: KernelFile) { self.file = file }

    /// An open that failed: there may be no device any more where there was one.
    func failed(_ errno: Errno) {
        let gone: [Errno] = [.noSuchFileOrDirectory, .noSuchAddressOrDevice, .operationNotSupportedByDevice]
        if gone.contains(errno) { wasMissed = true }
    }
}
