// A worker's inside is seen by a debug build alone; a kernel's VM has these tests optimised.
#if DEBUG
    import EmulatedMachine
    import IOUring
    import SystemPackage
    import Testing

    @testable import VirtioNet
    @testable import WorkerRuntime

    /// A run one of whose workers fails when no more frames are sent.
    @Suite("A run whose worker fails late", .timeLimit(.minutes(15)))
    struct WorkerFailureRunTests {
        /// Who fails.
        enum Side: String, CaseIterable { case driver, device }

        /// Has a worker's io_uring_enter refused once traffic has ended.
        private final class Watcher: RunObserver {
            let side: Side
            let errno: Errno
            private weak var machine: EmulatedMachine?

            init(_ side: Side, _ errno: Errno) { (self.side, self.errno) = (side, errno) }

            func runDidStart(_ machine: EmulatedMachine) { self.machine = machine }

            func runDidEndTraffic(outstanding: UInt64) {
                let cause = EventLoopFailure(.enter(errno))
                switch side {
                case .driver: machine?.driver.pairs[0].worker.perform { $0.loop.fail(cause) }
                case .device:
                    let device = machine?.simulation?.network as? NetworkDevice
                    device?.pairs[0].worker.perform { $0.loop.fail(cause) }
                }
            }
        }

        @Test(
            "breaks off, and names the call and its errno", arguments: Side.allCases,
            [Errno.resourceTemporarilyUnavailable, .interrupted])
        func late(_ side: Side, _ errno: Errno) throws {
            let machine = try EmulatedMachineTests.makeMachine("sim")
            defer { machine.close() }
            let watcher = Watcher(side, errno)
            let run = MachineRun(
                machine, plan: RunPlan(cycles: 0, duration: .milliseconds(20)), interrupt: try RunInterrupt(),
                observer: watcher)
            guard case .brokeOff(let reason) = try run.run().ending else {
                Issue.record("the run does not say that a worker failed")
                return
            }
            #expect(reason.contains("io_uring_enter") && reason.contains("\(errno)"), "\(reason)")
            #expect(reason.contains(side.rawValue), "\(reason)")
        }
    }
#endif
