import EmulatedMachine
import SystemPackage
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtioNet

extension RealDevice {
    @Suite("A real device's own account")
    struct Statistics {
        private let kernel: KernelDevice

        init() throws { kernel = try .underTest() }

        @Test("6.12's simulator counts every packet of a run, and drops none; others do not answer")
        func run() throws {
            try ProcessFiles.withLockedMemoryLimit(nil) {
                let machine = try makeRealMachine()
                let plan = RunPlan(cycles: 2, interval: .milliseconds(50))
                let result = try MachineRun(machine, plan: plan, interrupt: try RunInterrupt()).run()
                #expect(result.frames.isFlawless, "\(result.frames)")
                guard kernel.parent == .simulator, kernel.hasPersistence else {
                    #expect(result.device == nil)
                    return
                }
                let device = try #require(result.device)
                // Each frame is sent once and received once.
                #expect(device.packets == 2 * result.frames.sent)
                #expect(device.drops == 0)
                #expect(device.errors == 0)
            }
        }

        @Test("a device of no such name is an error with the kernel's number")
        func errors() throws {
            let error = #expect(throws: VhostVDPAError.self) {
                try VendorStatisticsReader(device: "no-such-device").read([0])
            }
            #expect(error?.errno == .operationNotSupportedByDevice)
            #expect(error?.call == "VDPA_CMD_DEV_VSTATS_GET(device: no-such-device, queues: 0)")
        }
    }
}
