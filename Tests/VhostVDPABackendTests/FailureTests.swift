import CLinux
import SystemPackage
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtQueue
import Virtio

/// A device call that fails, at every place where one can.
struct FailureTests {
    /// Fails the call with this number, counted from now, and no other.
    static func failCall(_ number: Int, of device: RecordingDevice) {
        let calls = device.callCount
        device.failure = { [unowned device] _ in device.callCount == calls + number ? .ioError : nil }
    }

    /// Opening takes 13 calls and a map of five messages.
    @Test("whichever call of opening fails, the file is closed and nobody is registered", arguments: 1...18)
    func opening(number: Int) {
        let device = RecordingDevice()
        Self.failCall(number, of: device)
        let addressSpace = FakeAddressSpace()
        #expect(throws: BackendError.self) { _ = try Harness(device, addressSpace: addressSpace) }
        #expect(device.isClosed)
        #expect(addressSpace.listener == nil)
        #expect(device.table == [])
    }

    /// A start takes three calls, five map messages if there are no maps, five per queue, one for the interrupt,
    /// two to enable and DRIVER_OK.
    @Test(
        "whichever call of a start fails, the device is reset and unmapped, and starts again",
        arguments: Array(1...22).map { ($0, false) } + Array(1...17).map { ($0, true) })
    func start(number: Int, persists: Bool) throws {
        let device = RecordingDevice()
        let harness = try Harness(
            device, configuration: .init(persist: persists ? .auto : .off, mapVerification: .never))
        try harness.start()
        try harness.backend.stop()
        #expect(harness.backend.mapping == (persists ? .kept : .unmapped))
        Self.failCall(number, of: device)
        let error = #expect(throws: BackendError.self) { try harness.start() }
        #expect(error?.errno == .ioError)
        #expect(harness.backend.state == .stopped)
        #expect(harness.backend.mapping == .unmapped)
        #expect(device.status == [.acknowledge, .driver])
        #expect(device.table == [])
        #expect(device.deviceTable == [])
        try harness.start()
        #expect(harness.backend.state == .started)
        #expect(device.deviceTable.count == 3)
    }

    @Test(
        "whichever call of the first start fails, the device is reset and unmapped, and the next start tells everything",
        arguments: 1...17)
    func firstStart(number: Int) throws {
        let device = RecordingDevice()
        let harness = try Harness(device)
        _ = device.takeTrace()
        Self.failCall(number, of: device)
        #expect(throws: BackendError.self) { try harness.start() }
        #expect(harness.backend.state == .stopped)
        #expect(device.table == [])
        _ = device.takeTrace()
        try harness.start()
        #expect(
            Array(device.takeTrace().suffix(14)) == OrderOfCallsTests.queues + ["SET_STATUS 0xf"]
                + OrderOfCallsTests.enable)
        #expect(device.deviceTable.count == 3)
    }

    @Test("a first map that is refused at address 0 is taken back, and nothing is mapped in its stead")
    func mapAtZero() throws {
        let device = RecordingDevice()
        let harness = try Harness(
            device, configuration: .init(mapsWhenOpened: false, mapVerification: .never))
        var refusals = 1
        device.failure = { call in
            guard call.hasPrefix("UPDATE 0x0-"), refusals > 0 else { return nil }
            refusals -= 1
            return .badAddress
        }
        #expect(throws: BackendError.self) { try harness.start() }
        #expect(device.takeTrace().filter { $0.hasPrefix("UPDATE") }.count == 1)
        #expect(harness.backend.mapping == .unmapped)
        try harness.start()
        #expect(device.deviceTable.count == 3)
    }

    @Test("a start that fails where its reset fails too leaves a device that can only be closed")
    func startAndReset() throws {
        let device = RecordingDevice()
        let harness = try Harness(device)
        device.failure = { $0 == "SET_STATUS 0xf" || $0 == "SET_STATUS 0x0" ? .ioError : nil }
        let error = #expect(throws: BackendError.self) { try harness.start() }
        #expect(error?.message.contains("could not be reset") == true)
        #expect(harness.backend.state == .failed)
        #expect(throws: BackendError.self) { try harness.start() }
        #expect(throws: BackendError.self) { try harness.backend.stop() }
        harness.backend.close()
        #expect(device.isClosed)
        #expect(harness.addressSpace.listener == nil)
    }

    @Test("a device that drops FEATURES_OK refuses the start, and can be started with others")
    func refusedFeatures() throws {
        let device = RecordingDevice()
        let harness = try Harness(device)
        device.acceptsFeatures = false
        let error = #expect(throws: BackendError.self) { try harness.start() }
        #expect(error?.code == .featuresRefused)
        #expect(harness.backend.state == .stopped)
        device.acceptsFeatures = true
        try harness.start()
    }

    @Test("features that are not offered and queues the device cannot have are refused before any call")
    func invalidStart() throws {
        let harness = try Harness()
        _ = harness.device.takeTrace()
        func error(_ features: VirtioFeatures, _ change: (inout VringSetup) -> Void) -> BackendError.Code? {
            var queue = harness.queues[0]
            change(&queue)
            let queues = [queue]
            return #expect(throws: BackendError.self) {
                try harness.backend.start(features: features, queues: queues)
            }?.code
        }
        #expect(error([.version1, .inOrder]) { _ in } == .featuresRefused)
        #expect(error([.version1]) { $0.index = 3 } == .invalidQueue)
        for size: UInt16 in [0, 3, 255, 512] {
            #expect(error([.version1]) { $0.layout.size = size } == .invalidQueue)
        }
        #expect(harness.device.takeTrace() == [])
        #expect((harness.backend.state, harness.backend.mapping) == (.opened, .mapped))
    }

    @Test("a kick that cannot be given is a failed start")
    func kick() throws {
        let harness = try Harness()
        var queues = harness.queues
        queues[1].kick = FileDescriptor(rawValue: -1)
        #expect(throws: BackendError.self) {
            try harness.backend.start(features: Harness.features, queues: queues)
        }
        #expect(harness.backend.state == .stopped)
        try harness.start()
    }

    // MARK: A stop

    @Test(
        "a queue whose parent gives no position starts again from zero; the stop goes on",
        arguments: [Errno(rawValue: 95), .ioError])
    func noBase(errno: Errno) throws {
        let device = RecordingDevice()
        device.bases = [1: 5]
        let harness = try Harness(device)
        try harness.start()
        device.failure = { $0 == "GET_VRING_BASE 0" ? errno : nil }
        let states = try harness.backend.stop()
        #expect(states.map(\.base) == [nil, VringBase(rawValue: 5)])
        if errno == .ioError {
            guard case .failed(let error) = states[0].loss else {
                Issue.record("the error is kept")
                return
            }
            #expect(error.errno == .ioError)
        } else {
            #expect(states[0].loss == .unsupported)
        }
        #expect(harness.backend.state == .stopped)
    }

    @Test("maps that could not be removed before the reset are removed after it, whole")
    func unmapBefore() throws {
        let device = RecordingDevice()
        let harness = try Harness(device, configuration: .init(persist: .off, mapVerification: .never))
        try harness.start()
        _ = device.takeTrace()
        var isFirst = true
        device.failure = { line in
            guard line.hasPrefix("INVALIDATE"), isFirst else { return nil }
            isFirst = false
            return .badAddress
        }
        try harness.backend.stop()
        let trace = device.takeTrace()
        let reset = try #require(trace.firstIndex(of: "SET_STATUS 0x0"))
        let wipe = try #require(trace.firstIndex(of: "INVALIDATE all"))
        #expect(reset < wipe)
        #expect((harness.backend.state, harness.backend.mapping) == (.stopped, .unmapped))
        #expect(device.table == [])
        try harness.start()
    }

    @Test(
        "a stop whose reset or whose unmap cannot be done fails for good",
        arguments: ["SET_STATUS", "INVALIDATE"])
    func failedStop(call: String) throws {
        let device = RecordingDevice()
        let harness = try Harness(device, configuration: .init(persist: .off, mapVerification: .never))
        try harness.start()
        device.failure = { $0.hasPrefix(call) ? .ioError : nil }
        #expect(throws: BackendError.self) { try harness.backend.stop() }
        #expect(harness.backend.state == .failed)
        harness.backend.close()
        #expect(device.isClosed)
        #expect(harness.addressSpace.listener == nil)
    }

    // MARK: A close

    @Test(
        "a close whose reset or unmap fails sends the device nothing more: closing the file does the rest",
        arguments: ["SET_STATUS", "INVALIDATE", "BATCH_BEGIN", "BATCH_END"])
    func failedClose(call: String) throws {
        let device = RecordingDevice()
        let harness = try Harness(device)
        try harness.start()
        _ = device.takeTrace()
        device.failure = { $0.hasPrefix(call) ? .ioError : nil }
        harness.backend.close()
        let trace = device.takeTrace()
        let failed = try #require(trace.firstIndex { $0.hasPrefix(call) })
        #expect(trace.last == "close")
        // A batch that is open is left to the close as well.
        #expect(Array(trace[(failed + 1)...]) == ["close"], "\(trace)")
        #expect(harness.addressSpace.listener == nil)
        #expect(harness.backend.mapping == .unmapped)
    }
}
