import EmulatedMachine
import GuestMemory
import Logging
import SystemPackage
import Testing
import VhostVDPA
import VhostVDPABackend

/// A machine on the device under test, with a generator.
func makeRealMachine(
    persist: PersistPolicy = .auto, memory: ByteCount = .mebibytes(64), source: DeviceSource? = nil
) throws -> EmulatedMachine {
    let path = try #require(KernelDevice.path)
    return try EmulatedMachine(
        MachineConfiguration(memory: memory, device: source ?? .file(path), persist: persist),
        logger: .quiet)
}

extension Logger {
    /// A logger that only says what must not happen.
    static var quiet: Logger {
        var logger = Logger(label: "real device")
        logger.logLevel = .critical
        return logger
    }
}

extension EmulatedMachine {
    /// Whether a stop leaves the device's maps alone.
    var keepsMaps: Bool { backend.acknowledgedBackendFeatures.contains(.iotlbPersist) }
}
