import SystemPackage
import Testing
import VhostVDPA
import VhostVDPABackend

/// What an error says of the ring positions that a start was given: from DRIVER_OK on they may not hold.
struct MovedRingsTests {
    /// The calls of a start up to SET_CONFIG_CALL are 14, with a map of five messages 19; then come DRIVER_OK and the two
    /// that enable the queues.
    @Test(
        "the device may have run, and the error says so, exactly where a start failed from DRIVER_OK on",
        arguments: Array(1...22).map { ($0, false) } + Array(1...17).map { ($0, true) })
    func ringsMayHaveMoved(number: Int, persists: Bool) throws {
        let device = RecordingDevice()
        let harness = try Harness(
            device, configuration: .init(persist: persists ? .auto : .off, mapVerification: .never))
        try harness.start()
        try harness.backend.stop()
        _ = device.takeTrace()
        FailureTests.failCall(number, of: device)
        let error = #expect(throws: BackendError.self) { try harness.start() }
        let isFromDriverOK = device.takeTrace().contains("SET_STATUS 0xf")
        #expect(isFromDriverOK == (number >= (persists ? 15 : 20)))
        #expect(error?.ringsMayHaveMoved == isFromDriverOK)
    }

    @Test("queues enabled before DRIVER_OK have not run yet", arguments: 12...17)
    func ringsBeforeDriverOK(number: Int) throws {
        let device = RecordingDevice()
        device.backendFeatures.remove(.enableAfterDriverOK)
        let harness = try Harness(device)
        _ = device.takeTrace()
        FailureTests.failCall(number, of: device)
        let error = #expect(throws: BackendError.self) { try harness.start() }
        // Fourteen calls, two that enable, DRIVER_OK.
        #expect(error?.ringsMayHaveMoved == (number == 17))
    }

    @Test("a kick that cannot be given comes after DRIVER_OK; a start that is refused moves nothing")
    func ringsOfOtherErrors() throws {
        let device = RecordingDevice()
        let harness = try Harness(device)
        var queues = harness.queues
        queues[1].kick = FileDescriptor(rawValue: -1)
        let kick = #expect(throws: BackendError.self) {
            try harness.backend.start(features: Harness.features, queues: queues)
        }
        #expect(kick?.ringsMayHaveMoved == true)
        device.acceptsFeatures = false
        let features = #expect(throws: BackendError.self) { try harness.start() }
        #expect(features?.ringsMayHaveMoved == false)
        device.acceptsFeatures = true
        try harness.start()
        let second = #expect(throws: BackendError.self) { try harness.start() }
        #expect(second?.ringsMayHaveMoved == false)
        device.failure = { $0.hasPrefix("SET_STATUS") ? .ioError : nil }
        let stop = #expect(throws: BackendError.self) { try harness.backend.stop() }
        #expect(stop?.ringsMayHaveMoved == false)
    }

    @Test("an error keeps saying that rings may have moved where the reset after it fails as well")
    func ringsOfFailedReset() throws {
        let device = RecordingDevice()
        let harness = try Harness(device)
        device.failure = { $0 == "SET_STATUS 0xf" || $0 == "SET_STATUS 0x0" ? .ioError : nil }
        let error = #expect(throws: BackendError.self) { try harness.start() }
        #expect(error?.message.hasPrefix("starting the device: SET_STATUS") == true)
        let reset = "could not be reset after it: resetting the device: SET_STATUS"
        #expect(error?.message.contains(reset) == true)
        #expect(error?.ringsMayHaveMoved == true)
    }
}
