internal import Logging
internal import SimulatedVDPA
internal import SystemPackage
internal import VhostVDPA
internal import VirtioNet

/// A machine's device just after it was opened: the file, and what is known of who is behind it.
struct OpenedDevice {
    let file: any CharacterDevice
    let simulation: SimulatedDevice?
    /// The file again, where it is the kernel's.
    let kernelFile: KernelFile?
    /// What the kernel's vdpa tools call a real device.
    let vdpaName: String?
    /// Whether transmitted frames come back, so that a missing one is lost.
    let returnsFrames: Bool

    init(_ configuration: MachineConfiguration, logger: Logger) throws(MachineError) {
        switch configuration.device {
        case .simulated(let specification):
            let takesWire = specification.profile.kind(for: specification).takesWire
            if !takesWire, configuration.wire != .loopback {
                throw .unsupported(
                    "profile=\(specification.profile.rawValue) has no wire, it loops frames back itself: leave --wire out, or take a"
                        + " device without profile=")
            }
            let simulation = try SimulatedDevice(
                specification,
                port: Self.openWire(configuration.wire, queuePairs: specification.queuePairs, logger),
                logger: logger)
            do throws(Errno) {
                file = try simulation.device.open()
            } catch {
                throw .simulation("the simulated device could not be opened: \(error)")
            }
            self.simulation = simulation
            kernelFile = nil
            vdpaName = nil
            returnsFrames = configuration.wireReturnsFrames
        case .file(let path):
            let kernelFile = try Self.openKernelFile { () throws(VhostVDPAError) in
                try KernelFile(path: path)
            }
            file = kernelFile
            self.kernelFile = kernelFile
            vdpaName = kernelFile.deviceName
            simulation = nil
            returnsFrames = true
        case .descriptor(let descriptor):
            let kernelFile = try Self.openKernelFile { () throws(VhostVDPAError) in
                try KernelFile(inherited: descriptor)
            }
            file = kernelFile
            self.kernelFile = kernelFile
            vdpaName = kernelFile.deviceName
            simulation = nil
            returnsFrames = true
        }
    }

    private static func openWire(
        _ port: PortSpecification, queuePairs: Int, _ logger: Logger
    ) throws(MachineError) -> WirePort {
        do throws(PortError) {
            return try WirePort(opening: port, queuePairs: queuePairs) { logger.warning("\($0)") }
        } catch {
            throw .port(error)
        }
    }

    private static func openKernelFile(
        _ open: () throws(VhostVDPAError) -> KernelFile
    ) throws(MachineError) -> KernelFile {
        do throws(VhostVDPAError) {
            return try open()
        } catch {
            throw .device(error)
        }
    }
}
