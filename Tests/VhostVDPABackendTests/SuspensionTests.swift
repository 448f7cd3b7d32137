import SystemPackage
import Testing
import VhostVDPA
import VhostVDPABackend
import Virtio

/// A pause without a reset, and another configuration on an open device.
struct SuspensionTests {
    static let resuming = BackendConfiguration(
        wantedBackendFeatures: BackendConfiguration().wantedBackendFeatures.union(.resume),
        mapVerification: .never)

    @Test("a suspend in place and its resume are two calls, and every queue is kicked once more")
    func calls() throws {
        let harness = try Harness(configuration: Self.resuming)
        try harness.start()
        for queue in harness.queues { #expect(harness.takeCounter(queue.kick) == 1) }
        _ = harness.device.takeTrace()
        try harness.backend.suspendInPlace()
        #expect(harness.backend.state == .suspended)
        for queue in harness.queues { #expect(harness.takeCounter(queue.kick) == 0) }
        try harness.backend.resumeInPlace()
        #expect(harness.backend.state == .started)
        #expect(harness.device.takeTrace() == ["SUSPEND", "RESUME"])
        for queue in harness.queues { #expect(harness.takeCounter(queue.kick) == 1) }
    }

    @Test("a suspended device can be stopped, and is not suspended again for it")
    func stop() throws {
        let harness = try Harness(configuration: Self.resuming)
        try harness.start()
        try harness.backend.suspendInPlace()
        harness.device.bases = [0: 7, 1: 9]
        _ = harness.device.takeTrace()
        let states = try harness.backend.stop()
        #expect(states.map(\.base?.availIndex) == [7, 9])
        #expect(!harness.device.takeTrace().contains("SUSPEND"))
        try harness.start()
        #expect(harness.backend.state == .started)
    }

    @Test("without RESUME acknowledged nothing is suspended in place")
    func notAcknowledged() throws {
        let harness = try Harness()
        try harness.start()
        _ = harness.device.takeTrace()
        #expect(throws: BackendError.self) { try harness.backend.suspendInPlace() }
        #expect(harness.device.takeTrace() == [])
        #expect(harness.backend.state == .started)
    }

    @Test(
        "a failed suspend leaves the device running, a failed resume leaves it suspended",
        arguments: ["SUSPEND", "RESUME"])
    func failure(call: String) throws {
        let harness = try Harness(configuration: Self.resuming)
        try harness.start()
        harness.device.failure = { $0 == call ? .ioError : nil }
        if call == "RESUME" { try harness.backend.suspendInPlace() }
        #expect(throws: BackendError.self) {
            if call == "RESUME" {
                try harness.backend.resumeInPlace()
            } else {
                try harness.backend.suspendInPlace()
            }
        }
        #expect(harness.backend.state == (call == "RESUME" ? .suspended : .started))
        harness.device.failure = { _ in nil }
        try harness.backend.stop()
        #expect(harness.backend.state == .stopped)
    }

    @Test("what is acknowledged while the device runs decides about the maps at the next reset")
    func reconfiguration() throws {
        let harness = try Harness()
        try harness.start()
        for persist in [PersistPolicy.off, .auto, .off] {
            try harness.backend.reconfigure(BackendConfiguration(persist: persist, mapVerification: .never))
            #expect(harness.device.acknowledged.contains(.iotlbPersist) == (persist == .auto))
            _ = harness.device.takeTrace()
            try harness.backend.stop()
            try harness.start()
            #expect(harness.device.takeTrace().contains("BATCH_BEGIN") == (persist == .off))
            #expect(harness.device.deviceTable.count == 3)
        }
    }

    @Test("what a reconfiguration leaves out is not acknowledged any more, and no reset counts on it")
    func withoutPersist() throws {
        let harness = try Harness()
        try harness.start()
        let wanted = BackendConfiguration().wantedBackendFeatures.subtracting(.iotlbPersist)
        try harness.backend.reconfigure(
            BackendConfiguration(wantedBackendFeatures: wanted, mapVerification: .never))
        #expect(!harness.backend.acknowledgedBackendFeatures.contains(.iotlbPersist))
        try harness.backend.stop()
        #expect(harness.backend.lastDecision == .flush(.persistNotAcknowledged))
    }

    @Test("a reconfiguration says how the next change of memory is sent")
    func changes() throws {
        let harness = try Harness()
        let wanted = BackendConfiguration().wantedBackendFeatures.subtracting(.iotlbBatch)
        try harness.backend.reconfigure(
            BackendConfiguration(wantedBackendFeatures: wanted, mapVerification: .never))
        _ = harness.device.takeTrace()
        try harness.addressSpace.plug(Guest.dimm)
        #expect(harness.device.takeTrace() == ["UPDATE 0x100000000-0x1007fffff RW"])
        try harness.addressSpace.unplug(Guest.dimm)
        try harness.backend.reconfigure(BackendConfiguration(mapVerification: .always))
        _ = harness.device.takeTrace()
        try harness.addressSpace.plug(Guest.dimm)
        #expect(
            harness.device.takeTrace() == [
                "BATCH_BEGIN", "UPDATE 0x100000000-0x1007fefff RW", "BATCH_END",
                "UPDATE 0x1007ff000-0x1007fffff RW",
            ])
    }

    @Test("a reconfiguration that the device refuses changes nothing")
    func refused() throws {
        let harness = try Harness()
        harness.device.failure = { $0.hasPrefix("SET_BACKEND_FEATURES") ? .notSupportedOnSocket : nil }
        let before = harness.backend.acknowledgedBackendFeatures
        #expect(throws: BackendError.self) {
            try harness.backend.reconfigure(BackendConfiguration(persist: .off))
        }
        #expect(harness.backend.acknowledgedBackendFeatures == before)
    }
}
