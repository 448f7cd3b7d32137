import CLinux
import SystemPackage
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtQueue
import Virtio

/// The order of calls, written out: it is the specification.
struct OrderOfCallsTests {
    static let openCalls = [
        "GET_DEVICE_ID", "GET_FEATURES", "GET_CONFIG_SIZE", "GET_CONFIG 0 8", "GET_IOVA_RANGE",
        "GET_VQS_COUNT",
        "GET_VRING_NUM", "GET_GROUP_NUM", "GET_AS_NUM", "GET_BACKEND_FEATURES",
    ]
    static let maps = [
        "BATCH_BEGIN", "UPDATE 0x0-0x9ffff RW", "UPDATE 0xf0000-0xfffff RO", "UPDATE 0x100000-0x7fffff RW",
        "BATCH_END",
    ]
    static let unmaps = [
        "BATCH_BEGIN", "INVALIDATE 0x0-0x9ffff", "INVALIDATE 0xf0000-0xfffff", "INVALIDATE 0x100000-0x7fffff",
        "BATCH_END",
    ]
    static let features = ["SET_FEATURES 0x300000000", "SET_STATUS 0xb", "GET_STATUS"]
    static let queues = [
        "SET_VRING_NUM 0 256", "SET_VRING_BASE 0 0", "SET_VRING_ADDR 0 0x100000 0x101000 0x102000",
        "SET_VRING_CALL 0", "SET_VRING_KICK 0",
        "SET_VRING_NUM 1 256", "SET_VRING_BASE 1 0", "SET_VRING_ADDR 1 0x110000 0x111000 0x112000",
        "SET_VRING_CALL 1", "SET_VRING_KICK 1", "SET_CONFIG_CALL",
    ]
    static let enable = ["SET_VRING_ENABLE 0 1", "SET_VRING_ENABLE 1 1"]
    static let suspend = ["SUSPEND", "GET_VRING_BASE 0", "GET_VRING_BASE 1"]
    static let reset = ["SET_STATUS 0x0"]
    static let ready = ["SET_STATUS 0x3"]

    @Test("opening negotiates backend features before the owner and before any map")
    func opening() throws {
        let harness = try Harness()
        #expect(
            harness.device.takeTrace() == Self.openCalls + [
                "SET_BACKEND_FEATURES 0x15e", "SET_STATUS 0x3", "SET_OWNER",
            ]
                + Self.maps)
        #expect(harness.backend.state == .opened)
        #expect(harness.backend.mapping == .mapped)
    }

    @Test("maps can wait for the first start")
    func lateMaps() throws {
        let harness = try Harness(configuration: .init(mapsWhenOpened: false, mapVerification: .never))
        #expect(harness.device.takeTrace().last == "SET_OWNER")
        try harness.start()
        #expect(
            harness.device.takeTrace() == Self.features + Self.maps + Self.queues + ["SET_STATUS 0xf"]
                + Self.enable)
    }

    @Test("with PERSIST a cycle sends nothing for the maps")
    func persist() throws {
        let harness = try Harness()
        try harness.start()
        _ = harness.device.takeTrace()
        let before = harness.backend.counts
        try harness.backend.stop()
        #expect(harness.device.takeTrace() == Self.suspend + Self.reset + Self.ready)
        #expect(harness.backend.mapping == .kept)
        try harness.start()
        #expect(
            harness.device.takeTrace() == Self.features + Self.queues + ["SET_STATUS 0xf"] + Self.enable)
        #expect(harness.backend.mapping == .mapped)
        let cycle = harness.backend.counts - before
        #expect((cycle.updates, cycle.invalidates, cycle.batches) == (0, 0, 0))
        #expect(cycle.ioctls == 22)
    }

    @Test(
        "without PERSIST a suspended device is unmapped before its reset, and mapped again in one batch",
        arguments: [
            (BackendFeatures(rawValue: 0x7e), PersistPolicy.auto), (BackendFeatures(rawValue: 0x17e), .off),
        ])
    func remap(offered: BackendFeatures, policy: PersistPolicy) throws {
        let device = RecordingDevice()
        device.backendFeatures = offered
        let harness = try Harness(device, configuration: .init(persist: policy, mapVerification: .never))
        #expect(device.acknowledged == BackendFeatures(rawValue: 0x5e))
        try harness.start()
        _ = device.takeTrace()
        let before = harness.backend.counts
        try harness.backend.stop()
        #expect(device.takeTrace() == Self.suspend + Self.unmaps + Self.reset + Self.ready)
        #expect(harness.backend.mapping == .unmapped)
        try harness.start()
        #expect(
            device.takeTrace() == Self.features + Self.maps + Self.queues + ["SET_STATUS 0xf"]
                + Self.enable)
        let cycle = harness.backend.counts - before
        #expect((cycle.updates, cycle.invalidates, cycle.batches) == (3, 3, 2))
    }

    @Test(
        "what decides is what was acknowledged: IOTLB_PERSIST that is offered and not asked for keeps no map")
    func offeredAndNotAcknowledged() throws {
        var configuration = BackendConfiguration(persist: .auto, mapVerification: .never)
        configuration.wantedBackendFeatures.remove(.iotlbPersist)
        let harness = try Harness(configuration: configuration)
        #expect(harness.backend.negotiated.offeredBackendFeatures.contains(.iotlbPersist))
        #expect(harness.device.acknowledged == BackendFeatures(rawValue: 0x5e))
        try harness.start()
        _ = harness.device.takeTrace()
        try harness.backend.stop()
        #expect(harness.backend.lastDecision == .flush(.persistNotAcknowledged))
        #expect(harness.device.takeTrace() == Self.suspend + Self.unmaps + Self.reset + Self.ready)
        try harness.start()
        #expect(harness.device.takeTrace().filter { $0.hasPrefix("UPDATE") }.count == 3)
        #expect(harness.device.deviceTable.count == 3)
    }

    @Test(
        "every start tells the device all of its eventfds: whether a number is still the same file only its owner knows"
    )
    func eventfds() throws {
        let harness = try Harness()
        for base: UInt32 in [0, 7, 65535] {
            harness.device.bases = [0: base, 1: base]
            var queues = harness.queues
            for index in queues.indices { queues[index].base = VringBase(rawValue: base) }
            _ = harness.device.takeTrace()
            try harness.backend.start(features: Harness.features, queues: queues)
            let told = harness.device.takeTrace().filter {
                $0.hasPrefix("SET_VRING_CALL") || $0.hasPrefix("SET_VRING_KICK") || $0 == "SET_CONFIG_CALL"
            }
            #expect(
                told == [
                    "SET_VRING_CALL 0", "SET_VRING_KICK 0", "SET_VRING_CALL 1", "SET_VRING_KICK 1",
                    "SET_CONFIG_CALL",
                ], "base \(base)")
            try harness.backend.stop()
        }
    }

    @Test("without SUSPEND the device is live: reset first, then unmap, and no ring position is believed")
    func noSuspend() throws {
        let device = RecordingDevice()
        device.backendFeatures = [.messageV2, .iotlbBatch, .iotlbASID, .enableAfterDriverOK]
        let harness = try Harness(device)
        try harness.start()
        _ = device.takeTrace()
        let states = try harness.backend.stop()
        #expect(device.takeTrace() == Self.reset + Self.unmaps + Self.ready)
        #expect(states.map(\.base) == [nil, nil])
        #expect(states.map(\.loss) == [.notSuspended, .notSuspended])
    }

    @Test("a failed SUSPEND is no SUSPEND")
    func failedSuspend() throws {
        let device = RecordingDevice()
        device.backendFeatures.remove(.iotlbPersist)
        let harness = try Harness(device)
        try harness.start()
        _ = device.takeTrace()
        device.failure = { $0 == "SUSPEND" ? .ioError : nil }
        let states = try harness.backend.stop()
        #expect(device.takeTrace() == ["SUSPEND"] + Self.reset + Self.unmaps + Self.ready)
        #expect(states.map(\.loss) == [.notSuspended, .notSuspended])
        #expect(harness.backend.state == .stopped)
        try harness.start()
    }

    @Test("without SUSPEND, with PERSIST, the maps stand all the same")
    func noSuspendPersist() throws {
        let device = RecordingDevice()
        device.backendFeatures.remove(.suspend)
        let harness = try Harness(device)
        try harness.start()
        _ = device.takeTrace()
        try harness.backend.stop()
        #expect(device.takeTrace() == Self.reset + Self.ready)
        #expect(harness.backend.mapping == .kept)
    }

    @Test("queues are enabled before DRIVER_OK where ENABLE_AFTER_DRIVER_OK is not acknowledged")
    func enableBefore() throws {
        let device = RecordingDevice()
        device.backendFeatures.remove(.enableAfterDriverOK)
        let harness = try Harness(device)
        _ = device.takeTrace()
        try harness.start()
        #expect(device.takeTrace() == Self.features + Self.queues + Self.enable + ["SET_STATUS 0xf"])
    }

    @Test("every queue is kicked once by every start")
    func kicks() throws {
        let harness = try Harness()
        for _ in 0..<2 {
            try harness.start()
            #expect(harness.queues.map { harness.takeCounter($0.kick) } == [1, 1])
            try harness.backend.stop()
        }
    }

    @Test("closing resets the device, removes the maps and closes the file, once")
    func closing() throws {
        let harness = try Harness()
        try harness.start()
        _ = harness.device.takeTrace()
        harness.backend.close()
        harness.backend.close()
        #expect(harness.device.takeTrace() == Self.reset + Self.unmaps + ["close"])
        #expect(harness.backend.state == .closed)
        #expect(harness.addressSpace.listener == nil)
        #expect(throws: BackendError.self) { try harness.start() }
    }

    @Test("a next start may have other features, sizes and bases", arguments: [true, false])
    func changedStart(persists: Bool) throws {
        let device = RecordingDevice()
        if !persists { device.backendFeatures.remove(.iotlbPersist) }
        device.bases = [0: 7, 1: 65535]
        let harness = try Harness(device)
        try harness.start()
        let states = try harness.backend.stop()
        #expect(states.map(\.base) == [VringBase(rawValue: 7), VringBase(rawValue: 65535)])
        _ = device.takeTrace()
        var queues = harness.queues
        queues[0].layout.size = 64
        queues[1].base = VringBase(rawValue: 65535)
        try harness.backend.start(features: [.version1, .accessPlatform, .mac], queues: queues)
        let trace = device.takeTrace()
        #expect(trace.first == "SET_FEATURES 0x300000020")
        #expect(trace.contains("SET_VRING_NUM 0 64"))
        #expect(trace.contains("SET_VRING_BASE 1 65535"))
        #expect(trace.contains { $0.hasPrefix("UPDATE") } == !persists)
    }
}
