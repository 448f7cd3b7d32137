import EmulatedMachine
import GuestMemory
import SystemPackage
import TestSupport
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

extension EmulatedMachine {
    /// Whether a stop leaves the device's maps alone.
    var keepsMaps: Bool { backend.acknowledgedBackendFeatures.contains(.iotlbPersist) }
}
