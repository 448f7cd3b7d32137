import LinuxHost
import SystemPackage
import Testing
import VhostVDPA
import VhostVDPABackend
import Virtio

/// Resets other than a stop, and what the device says of its own accord.
struct ResetTests {
    private func interrupt(_ backend: VhostVDPABackend) {
        EventFD.signal(backend.configurationInterrupt)
    }

    @Test(
        "a reset between the first map and DRIVER_OK keeps the maps only with PERSIST; else they are made again",
        arguments: [true, false])
    func beforeStart(persists: Bool) throws {
        let device = RecordingDevice()
        if !persists { device.backendFeatures.remove(.iotlbPersist) }
        let harness = try Harness(device)
        _ = device.takeTrace()
        try harness.backend.reset()
        let reset = OrderOfCallsTests.reset + OrderOfCallsTests.ready
        #expect(device.takeTrace() == (persists ? reset : OrderOfCallsTests.unmaps + reset))
        #expect(harness.backend.mapping == (persists ? .kept : .unmapped))
        try harness.start()
        #expect(device.takeTrace().contains("BATCH_BEGIN") == !persists)
        #expect(device.deviceTable.count == 3)
    }

    @Test("a device that is reset before its first start is as it was when it was opened")
    func resetOfOpened() throws {
        let harness = try Harness()
        try harness.backend.reset()
        #expect(harness.backend.state == .opened)
    }

    @Test("a guest's reset of a running device resets first, as nothing has stopped it")
    func running() throws {
        let device = RecordingDevice()
        device.backendFeatures.remove(.iotlbPersist)
        let harness = try Harness(device)
        try harness.start()
        _ = device.takeTrace()
        try harness.backend.reset(reason: .guestReset)
        #expect(
            device.takeTrace() == OrderOfCallsTests.reset + OrderOfCallsTests.unmaps + OrderOfCallsTests.ready
        )
        #expect(harness.backend.state == .stopped)
    }

    @Test("two resets in a row keep the maps, or find nothing to remove", arguments: [true, false])
    func twice(persists: Bool) throws {
        let device = RecordingDevice()
        if !persists { device.backendFeatures.remove(.iotlbPersist) }
        let harness = try Harness(device)
        try harness.start()
        try harness.backend.stop()
        _ = device.takeTrace()
        try harness.backend.reset(reason: .guestReset)
        #expect(device.takeTrace() == OrderOfCallsTests.reset + OrderOfCallsTests.ready)
        #expect(harness.backend.mapping == (persists ? .kept : .unmapped))
    }

    @Test("maps are of the process that opened the device: in another one none is kept, PERSIST or not")
    func otherProcess() throws {
        var process: Int32 = 7
        let harness = try Harness(limits: .stub(process: { process }))
        try harness.start()
        try harness.backend.stop()
        #expect(harness.backend.lastDecision == .keep)
        try harness.start()
        process = 8
        _ = harness.device.takeTrace()
        try harness.backend.stop()
        #expect(harness.backend.lastDecision == .flush(.ownerChanged))
        #expect(
            harness.device.takeTrace() == OrderOfCallsTests.suspend + OrderOfCallsTests.unmaps
                + OrderOfCallsTests.reset + OrderOfCallsTests.ready)
        #expect(harness.device.table == [])
    }

    @Test(
        "forced without the bit, nothing is sent and the device has lost its maps: the bug PERSIST exists for"
    )
    func force() throws {
        let device = RecordingDevice()
        device.backendFeatures.remove(.iotlbPersist)
        let harness = try Harness(device, configuration: .init(persist: .force, mapVerification: .never))
        try harness.start()
        let before = harness.backend.counts
        try harness.backend.stop()
        #expect(harness.backend.lastDecision == .keepWithoutPromise)
        try harness.start()
        let cycle = harness.backend.counts - before
        #expect((cycle.updates, cycle.invalidates, cycle.batches) == (0, 0, 0))
        #expect(device.table.count == 3)
        #expect(device.deviceTable == [])
    }

    // MARK: Configuration interrupts

    @Test("a configuration interrupt is taken once")
    func configurationChange() throws {
        let harness = try Harness()
        try harness.start()
        #expect(try harness.backend.handleConfigurationInterrupt() == .none)
        interrupt(harness.backend)
        #expect(try harness.backend.handleConfigurationInterrupt() == .changed)
        #expect(try harness.backend.handleConfigurationInterrupt() == .none)
        #expect(try harness.backend.readConfiguration(offset: 2, count: 3) == [0, 1, 2])
        #expect(harness.device.takeTrace().last == "GET_CONFIG 2 3")
    }

    @Test("a device that needs a reset is not asked for anything: it is reset, and starts again")
    func needsReset() throws {
        let device = RecordingDevice()
        device.backendFeatures.remove(.iotlbPersist)
        let harness = try Harness(device)
        try harness.start()
        device.extraStatus = .needsReset
        interrupt(harness.backend)
        #expect(try harness.backend.handleConfigurationInterrupt() == .needsReset)
        _ = device.takeTrace()
        let states = try harness.backend.stop(reason: .recovery)
        #expect(
            device.takeTrace() == OrderOfCallsTests.reset + OrderOfCallsTests.unmaps + OrderOfCallsTests.ready
        )
        #expect(states.map(\.loss) == [.deviceBroken, .deviceBroken])
        try harness.start()
        interrupt(harness.backend)
        #expect(try harness.backend.handleConfigurationInterrupt() == .changed)
        #expect(try harness.backend.stop().map(\.base) == [.zero, .zero])
    }

    @Test(
        "a device that asks for a reset while it does not run is started as it is: no event is kept for a later stop",
        arguments: [true, false])
    func needsResetWhileStopped(hasRun: Bool) throws {
        let device = RecordingDevice()
        let harness = try Harness(device)
        if hasRun {
            try harness.start()
            try harness.backend.stop()
        }
        let state = harness.backend.state
        device.extraStatus = .needsReset
        interrupt(harness.backend)
        #expect(try harness.backend.handleConfigurationInterrupt() == .needsReset)
        #expect(harness.backend.state == state)
        device.extraStatus = []
        try harness.start()
        _ = device.takeTrace()
        #expect(try harness.backend.stop().map(\.base) == [.zero, .zero])
        #expect(device.takeTrace().starts(with: OrderOfCallsTests.suspend))
    }

    @Test("a suspended device that asks for a reset is believed nothing when it is stopped")
    func needsResetWhileSuspended() throws {
        let device = RecordingDevice()
        let harness = try Harness(device, configuration: SuspensionTests.resuming)
        try harness.start()
        try harness.backend.suspendInPlace()
        device.extraStatus = .needsReset
        interrupt(harness.backend)
        #expect(try harness.backend.handleConfigurationInterrupt() == .needsReset)
        #expect(harness.backend.state == .suspended)
        _ = device.takeTrace()
        #expect(try harness.backend.stop(reason: .recovery).map(\.loss) == [.deviceBroken, .deviceBroken])
        #expect(device.takeTrace() == OrderOfCallsTests.reset + OrderOfCallsTests.ready)
    }

    @Test("a device that has asked for a reset is not suspended in place: it would not go on")
    func needsResetInPlace() throws {
        let harness = try Harness(configuration: SuspensionTests.resuming)
        try harness.start()
        harness.device.extraStatus = .needsReset
        interrupt(harness.backend)
        #expect(try harness.backend.handleConfigurationInterrupt() == .needsReset)
        _ = harness.device.takeTrace()
        #expect(throws: BackendError.self) { try harness.backend.suspendInPlace() }
        #expect(harness.device.takeTrace() == [])
        #expect(harness.backend.state == .started)
    }

    @Test("what is not possible in a state is refused, and changes nothing")
    func states() throws {
        let harness = try Harness()
        _ = harness.device.takeTrace()
        #expect(throws: BackendError.self) { try harness.backend.stop() }
        try harness.start()
        _ = harness.device.takeTrace()
        #expect(throws: BackendError.self) { try harness.start() }
        #expect(harness.device.takeTrace() == [])
        harness.backend.close()
        #expect(throws: BackendError.self) { try harness.backend.reset(reason: .guestReset) }
        #expect(throws: BackendError.self) { try harness.backend.handleConfigurationInterrupt() }
        #expect(throws: BackendError.self) { try harness.backend.readConfiguration(offset: 0, count: 1) }
    }

    @Test("the eventfd of configuration interrupts lives until the device is closed")
    func interruptIsClosed() throws {
        let harness = try Harness()
        let number = harness.backend.configurationInterrupt.rawValue
        // Another thread may have taken the descriptor's number by then. The kernel's own number tells the eventfds apart,
        // as long as a duplicate keeps it.
        let duplicate = try FileDescriptor(rawValue: number).duplicate()
        defer { try? duplicate.close() }
        func identifier() -> String? {
            KernelText.of(FilePath("/proc/self/fdinfo/\(number)"))
                .flatMap { KernelText.field("eventfd-id", in: $0) }
        }
        let identified = try #require(identifier())
        harness.backend.close()
        #expect(identifier() != identified)
    }
}
