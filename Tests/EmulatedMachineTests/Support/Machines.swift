import EmulatedMachine
import GuestMemory
import SimulatedVDPA
import TestSupport
import VhostVDPA
import VhostVDPABackend
import VirtioNet

/// A machine of 64 MiB on the simulated device that `device` spells, with a generator, and a loopback or another wire.
func makeMachine(
    _ device: String = "sim", persist: PersistPolicy = .auto, queueSize: UInt16 = 256,
    memory: ByteCount = .mebibytes(64), queuePairs: Int = 1, wire: PortSpecification = .loopback,
    lostRings: LostRings = .startOver,
    hook: @escaping EmulatedMachine.DeviceHook = EmulatedMachine.unhooked
) throws -> EmulatedMachine {
    var configuration = MachineConfiguration(
        memory: memory, device: .simulated(try SimulatedDeviceSpecification(parsing: device)),
        wire: wire, persist: persist, queueSize: queueSize)
    configuration.queuePairs = queuePairs
    configuration.lostRings = lostRings
    return try EmulatedMachine(configuration, logger: .quiet, hook: hook)
}

extension EmulatedMachine {
    /// Waits until `count` more generated frames have come back; `false` where they do not.
    func receives(_ count: UInt64) -> Bool {
        let target = driver.counters.frames.received + count
        return eventually { self.driver.counters.frames.received >= target }
    }

    /// Stops the traffic and waits for what is on its way. Returns the final account.
    func settle() -> FrameCounts {
        driver.stopTraffic()
        _ = eventually {
            self.driver.synchronise()
            return self.driver.counters.frames.outstanding == 0
        }
        return driver.counters.frames
    }
}

extension FrameCounts {
    /// Whether every frame sent came back, once and whole.
    var isFlawless: Bool { outstanding == 0 && duplicated == 0 && corrupted == 0 && unsent == 0 }
}
