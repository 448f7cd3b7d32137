import CLinux
import Testing
import VhostVDPA
import Virtio

@testable import CycleBenchmark

@Suite("Phases")
struct CyclePhaseTests {
    @Test("are in the order in which they come")
    func order() { #expect(CyclePhase.allCases.map(\.order) == Array(0..<9)) }

    @Test(
        "SET_STATUS belongs to the phase that its value says",
        arguments: [
            (.reset, .reset), ([.acknowledge, .driver], .negotiate),
            ([.acknowledge, .driver, .featuresOK], .negotiate),
            ([.acknowledge, .driver, .featuresOK, .driverOK], .enable),
        ] as [(DeviceStatus, CyclePhase)])
    func status(status: DeviceStatus, phase: CyclePhase) {
        #expect(DeviceCallPhase.of(request: clinux_vdpa_set_status, status: status) == phase)
    }

    @Test(
        "a batch's markers belong to what the batch is for",
        arguments: [
            (.baseRead, .unmap), (.reset, .unmap), (.unmap, .unmap), (.negotiate, .map), (.map, .map),
        ] as [(CyclePhase, CyclePhase)])
    func markers(during: CyclePhase, phase: CyclePhase) {
        for marker in [IOTLBMessage.Operation.batchBegin, .batchEnd] {
            #expect(DeviceCallPhase.of(marker, during: during) == phase)
        }
    }

    @Test(
        "a call that no cycle has belongs to no phase",
        arguments: [
            clinux_vhost_set_backend_features, clinux_vdpa_get_config, clinux_vdpa_set_config,
        ])
    func others(request: UInt) {
        #expect(DeviceCallPhase.of(request: request, status: nil) == nil)
    }
}
