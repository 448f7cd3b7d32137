import EmulatedMachine
import LinuxHost
import SimulatedVDPA
import TestSupport
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtioNet

/// What goes wrong, and how the machine comes back from it.
@Suite("Recovery", .timeLimit(.minutes(15)))
struct RecoveryTests {
    @Test(
        "a guest that breaks a ring: NEEDS_RESET, a configuration interrupt, and traffic after a reset",
        arguments: MapsCase.all, [0, 1])
    func needsReset(_ testCase: MapsCase, queue: Int) throws {
        let machine = try makeMachine(testCase.device, persist: testCase.persist)
        try machine.start()
        machine.driver.startTraffic()
        try #require(machine.receives(300))
        #expect(machine.settle().isFlawless)
        let ring = try #require(try GuestRing(machine, queue))
        // An idle receive ring still has entries to be read, an idle transmit ring only its index.
        if queue == 0 { ring.ruinEntries() } else { ring.jumpIndex() }
        for signals in machine.driver.signals { signals.kick.signal() }

        try #require(machine.awaitsNeedsReset())
        let diagnostics = try #require(machine.simulation?.device.diagnostics.device)
        #expect(diagnostics.needsReset)
        #expect(diagnostics.brokenQueues.map(\.queue) == [queue])
        // The device asks for the reset in the middle of a pass, and its counts are those of whole ones.
        let network = try #require(machine.simulation?.network)
        network.synchronise()
        #expect(network.counts(queue).errors == 1)

        let before = machine.backend.counts
        #expect(
            try machine.stop(reason: .recovery) == .startedOver, "nothing that a broken device says counts")
        try machine.start()
        let sent = machine.backend.counts - before
        #expect(sent.updates == (testCase.keepsMaps ? 0 : machine.mapMessageCount))
        #expect(machine.simulation?.device.diagnostics.device.needsReset == false)
        machine.driver.startTraffic()
        try #require(machine.receives(300))
        let frames = machine.settle()
        #expect(frames.isFlawless && frames.abandoned == 0, "\(frames)")
        #expect(machine.simulation?.faultCount == 0)
    }

    @Test(
        "broken under traffic: what is in the rings is abandoned, nothing comes twice",
        arguments: MapsCase.all)
    func needsResetUnderTraffic(_ testCase: MapsCase) throws {
        let machine = try makeMachine(testCase.device, persist: testCase.persist)
        try machine.start()
        machine.driver.startTraffic()
        for queue in [1, 0, 1] {
            try #require(machine.receives(300))
            let ring = try #require(try GuestRing(machine, queue))
            #expect(
                eventually {
                    ring.ruinEntries()
                    for signals in machine.driver.signals { signals.kick.signal() }
                    return machine.simulation?.device.diagnostics.device.needsReset == true
                })
            try #require(machine.awaitsNeedsReset())
            try machine.stop(reason: .recovery)
            try machine.start()
        }
        try #require(machine.receives(300))
        let frames = machine.settle()
        #expect(frames.isFlawless, "\(frames)")
    }

    @Test(
        "a start of which any one call fails, before or after its effect, leaves the device ready to start again",
        arguments: MapsCase.all, [false, true])
    func failedStart(_ testCase: MapsCase, isLate: Bool) throws {
        var faulty: FaultyDevice?
        let machine = try makeMachine(testCase.device, persist: testCase.persist) { inner in
            let device = FaultyDevice(inner)
            faulty = device
            return device
        }
        let device = try #require(faulty)
        // The kicks are bound by the first start and no later one, so the calls of a later one are counted.
        try machine.start()
        try machine.stop()
        let atFirst = device.callCount
        try machine.start()
        let startCalls = device.callCount - atFirst
        machine.driver.startTraffic()
        try #require(machine.receives(300))
        try machine.stop()
        // A guest whose kick comes in between: a device that can run does.
        device.onFailure = { [weak machine] in
            // Where a case fails, the machine goes first, and closes its device.
            guard let machine else { return }
            let received = machine.driver.counters.frames.received
            for signals in machine.driver.signals { signals.kick.signal() }
            guard machine.simulation?.device.diagnostics.device.runningQueues.count == 2 else { return }
            _ = eventually { machine.driver.counters.frames.received > received }
        }
        for call in 0..<startCalls {
            device.fail(after: call, isLate: isLate)
            #expect(throws: MachineError.self, "call \(call) of \(startCalls)") { try machine.start() }
            #expect(machine.backend.state == .stopped, "call \(call)")
            #expect(machine.backend.mapping == .unmapped, "call \(call)")
            let before = machine.backend.counts
            try machine.start()
            #expect((machine.backend.counts - before).updates == machine.mapMessageCount, "call \(call)")
            try #require(machine.receives(50), "no traffic after call \(call) of \(startCalls) had failed")
            try machine.stop()
        }
        #expect(device.failureCount == startCalls)
        try machine.start()
        let frames = machine.settle()
        #expect(frames.isFlawless, "\(frames)")
        #expect(machine.simulation?.faultCount == 0)
    }

    @Test("a device that refuses the reset after a failed start can only be closed")
    func failedForGood() throws {
        var faulty: FaultyDevice?
        let machine = try makeMachine { inner in
            let device = FaultyDevice(inner)
            faulty = device
            return device
        }
        faulty?.fail(after: 3, count: .max)
        #expect(throws: MachineError.self) { try machine.start() }
        #expect(machine.backend.state == .failed)
        faulty?.fail(after: .max)
        #expect(throws: MachineError.self) { try machine.start() }
        #expect(throws: MachineError.self) { try machine.stop() }
        machine.close()
        #expect(machine.backend.state == .closed)
        #expect(machine.simulation?.device.diagnostics.isOpen == false)
    }

    @Test(
        "a SUSPEND that fails costs the ring positions, no frame twice and no map", arguments: MapsCase.all)
    func failedSuspend(_ testCase: MapsCase) throws {
        var faulty: FaultyDevice?
        let machine = try makeMachine(testCase.device, persist: testCase.persist) { inner in
            let device = FaultyDevice(inner)
            faulty = device
            return device
        }
        try machine.start()
        machine.driver.startTraffic()
        for _ in 0..<5 {
            try #require(machine.receives(300))
            let before = machine.backend.counts
            faulty?.fail(after: 0)
            #expect(try machine.stop() == .startedOver)
            try machine.start()
            let sent = machine.backend.counts - before
            #expect(sent.updates == (testCase.keepsMaps ? 0 : machine.mapMessageCount))
            #expect(sent.invalidates == (testCase.keepsMaps ? 0 : machine.mappedSectionCount))
        }
        #expect(faulty?.failureCount == 5)
        try #require(machine.receives(300))
        let frames = machine.settle()
        #expect(frames.isFlawless, "\(frames)")
        #expect(machine.simulation?.faultCount == 0)
    }

    @Test("a start refused for being one too many changes nothing")
    func startTwice() throws {
        let machine = try makeMachine()
        try machine.start()
        machine.driver.startTraffic()
        try #require(machine.receives(300))
        #expect(throws: MachineError.self) { try machine.start() }
        #expect(machine.backend.state == .started)
        try #require(machine.receives(300))
        let frames = machine.settle()
        #expect(frames.isFlawless && frames.abandoned == 0, "\(frames)")
    }
}

extension EmulatedMachine {
    /// Waits for the configuration interrupt that says that the device needs a reset.
    func awaitsNeedsReset() -> Bool {
        while becomesReadable(backend.configurationInterrupt) {
            guard let event = try? backend.handleConfigurationInterrupt() else { return false }
            if event == .needsReset { return true }
        }
        return false
    }
}
