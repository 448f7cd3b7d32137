import EmulatedMachine
import SimulatedVDPA
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtioNet

/// Calls that come at the wrong moment.
@Suite("Refused calls", .timeLimit(.minutes(15)))
struct RefusedCallTests {
    /// Where the machine stands.
    enum Moment: String, CaseIterable { case opened, started, suspended, stopped, closed }

    /// What is asked of it.
    enum Call: String, CaseIterable {
        case start, stop, cycle, recover, reprobe, suspend, resume

        func make(_ machine: EmulatedMachine) throws {
            switch self {
            case .start: try machine.start()
            case .stop: try machine.stop()
            case .cycle: _ = try machine.cycle()
            case .recover: try machine.recover()
            case .reprobe: try machine.reprobe(machine.driverConfiguration)
            case .suspend: try machine.backend.suspendInPlace()
            case .resume: try machine.backend.resumeInPlace()
            }
        }
    }

    static let refusals: [(Moment, [Call])] = [
        (.opened, [.stop, .cycle, .recover, .suspend, .resume]),
        (.started, [.start, .reprobe, .resume]),
        (.suspended, [.start, .reprobe, .suspend]),
        (.stopped, [.stop, .cycle, .recover, .suspend, .resume]),
    ]

    @Test(
        "a call that is refused leaves the machine as it was: its rings go on, and no frame is given up",
        arguments: refusals.flatMap { moment, calls in calls.map { (moment, $0) } })
    func refused(_ moment: Moment, _ call: Call) throws {
        let machine = try makeMachine(at: moment)
        let calls = machine.backend.counts
        for _ in 0..<2 {
            #expect(throws: (any Error).self) { try call.make(machine) }
        }
        #expect(machine.backend.state.rawValue == moment.rawValue)
        #expect(machine.backend.counts.ioctls == calls.ioctls)
        switch moment {
        case .opened, .stopped: try machine.start()
        case .suspended: try machine.backend.resumeInPlace()
        case .started, .closed: break
        }
        machine.driver.startTraffic()
        try #require(machine.receives(300))
        let frames = machine.settle()
        #expect(frames.isFlawless && frames.abandoned == 0, "\(frames)")
        #expect(machine.simulation?.device.diagnostics.device.needsReset == false)
    }

    @Test("a machine that is closed refuses everything and waits for nothing", arguments: Call.allCases)
    func closed(_ call: Call) throws {
        let machine = try makeMachine(at: .closed)
        #expect(throws: (any Error).self) { try call.make(machine) }
        machine.close()
        #expect(machine.backend.state == .closed)
    }

    /// A machine that frames have passed through, where it has been started.
    private func makeMachine(at moment: Moment) throws -> EmulatedMachine {
        let machine = try EmulatedMachineTests.makeMachine("sim")
        var configuration = BackendConfiguration()
        configuration.wantedBackendFeatures.insert(.resume)
        try machine.backend.reconfigure(configuration)
        guard moment != .opened else { return machine }
        try machine.start()
        machine.driver.startTraffic()
        try #require(machine.receives(300))
        #expect(machine.settle().isFlawless)
        switch moment {
        case .opened, .started: break
        case .suspended: try machine.backend.suspendInPlace()
        case .stopped: try machine.stop()
        case .closed: machine.close()
        }
        return machine
    }
}
