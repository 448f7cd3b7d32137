import EmulatedMachine
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtioNet

extension RealDevice {
    @Suite("Stops and starts under traffic on a real device")
    struct Cycles {
        private let device: KernelDevice

        init() throws { device = try .underTest() }

        @Test(
            "50 of them lose, duplicate and corrupt nothing; maps are sent only without PERSIST",
            arguments: [PersistPolicy.auto, .off])
        func cycles(policy: PersistPolicy) throws {
            try ProcessFiles.withLockedMemoryLimit(nil) {
                let machine = try makeRealMachine(persist: policy)
                let offered = machine.backend.negotiated.offeredBackendFeatures.contains(.iotlbPersist)
                #expect(machine.keepsMaps == (offered && policy == .auto))
                try machine.start()
                machine.driver.startTraffic()
                for cycle in 0..<50 {
                    try #require(machine.receives(100), "no traffic after \(cycle) cycles")
                    let measurement = try machine.cycle()
                    #expect(measurement.rings == (device.keepsRings ? .kept : .startedOver))
                    #expect(measurement.counts.updates == (machine.keepsMaps ? 0 : machine.mapMessageCount))
                    #expect(
                        measurement.counts.invalidates == (machine.keepsMaps ? 0 : machine.mappedSectionCount)
                    )
                    #expect(measurement.counts.batches == (machine.keepsMaps ? 0 : 2))
                }
                try #require(machine.receives(100))
                let frames = machine.settle()
                #expect(frames.isFlawless, "\(frames)")
                // Without ring positions the driver starts over, and gives up what was in its rings.
                #expect((frames.abandoned > 0) == !device.keepsRings, "\(frames)")
            }
        }
    }
}
