import EmulatedMachine
import GuestMemory
import LinuxHost
import SimulatedVDPA
import SystemPackage
import TestSupport
import Testing
import VhostVDPABackend
import VirtioDevice
import VirtioNet

@testable import CycleBenchmark

@Suite("The benchmark's watch", .timeLimit(.minutes(15)))
struct EndWatchTests {
    @Test("ends the cycles where a worker of the machine has stopped, whose failure is no measurement")
    func workerStopped() throws {
        let machine = try EmulatedMachine(
            MachineConfiguration(
                memory: .mebibytes(64),
                device: .simulated(SimulatedDeviceSpecification(parsing: "sim"))), logger: .quiet)
        defer { machine.close() }
        try machine.start()
        var watch = EndWatch(nil)
        #expect(watch.reason(machine) == nil)
        // A call that reaches nobody stops the worker.
        let full = unsafe try FileDescriptor.open("/dev/full", .writeOnly)
        defer { try? full.close() }
        let network = try #require(machine.simulation?.network)
        let call = try SharedEventFD(duplicating: full)
        for queue in 0..<2 { network.bindCall(call, queue: queue) }
        machine.driver.startTraffic(limit: 64)
        // The device asks for a reset when its worker has stopped.
        #expect(becomesReadable(machine.backend.configurationInterrupt))
        #expect(try machine.backend.handleConfigurationInterrupt() == .needsReset)
        machine.driver.stopTraffic()
        #expect(watch.reason(machine) == .machineFailed)
    }
}
