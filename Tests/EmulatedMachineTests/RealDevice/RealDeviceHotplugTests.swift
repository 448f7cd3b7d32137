import EmulatedMachine
import GuestMemory
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtioNet

extension RealDevice {
    @Suite("Memory plugged and unplugged on a real device")
    struct Hotplug {
        /// Frames enough for every buffer in the rings to have been exchanged.
        private static let turnover: UInt64 = 1500

        private let kernel: KernelDevice

        init() throws { kernel = try .underTest() }

        @Test(
            "while it is stopped carries traffic after the start, kept or not",
            arguments: [PersistPolicy.auto, .off])
        func whileStopped(policy: PersistPolicy) throws {
            try ProcessFiles.withLockedMemoryLimit(nil) {
                let machine = try makeRealMachine(persist: policy)
                try machine.start()
                machine.driver.startTraffic()
                try #require(machine.receives(300))

                try machine.stop()
                let pinned = pinnedBytes()
                let module = try machine.plug(.mebibytes(8))
                #expect(pinnedBytes() - pinned == (machine.keepsMaps ? moduleBytes(module) : 0))
                try start(machine, sending: machine.keepsMaps ? 0 : machine.mapMessageCount)
                try #require(machine.receives(Self.turnover))
                #expect(module.block.allocatedByteCount > .zero, "no frame stood in the new memory")

                #expect(machine.withdrawBuffers())
                try machine.stop()
                let before = machine.backend.counts
                try machine.unplug(module)
                #expect((machine.backend.counts - before).invalidates == (machine.keepsMaps ? 1 : 0))
                #expect(pinnedBytes() == pinned)
                try start(machine, sending: machine.keepsMaps ? 0 : machine.mapMessageCount)
                try #require(machine.receives(300))
                let frames = machine.settle()
                #expect(frames.isFlawless, "\(frames)")
                #expect(frames.abandoned == 0 || !kernel.keepsRings, "\(frames)")
            }
        }

        @Test("while it runs carries traffic at once")
        func whileRunning() throws {
            try ProcessFiles.withLockedMemoryLimit(nil) {
                let machine = try makeRealMachine()
                try machine.start()
                machine.driver.startTraffic()
                try #require(machine.receives(300))
                let pinned = pinnedBytes()
                let module = try machine.plug(.mebibytes(8))
                #expect(pinnedBytes() - pinned == moduleBytes(module))
                try #require(machine.receives(Self.turnover))
                #expect(module.block.allocatedByteCount > .zero, "no frame stood in the new memory")
                try machine.unplug(module)
                #expect(pinnedBytes() == pinned)
                try #require(machine.receives(300))
                let frames = machine.settle()
                #expect(frames.isFlawless && frames.abandoned == 0, "\(frames)")
            }
        }

        /// Starts the machine, which sends `updates` maps for it.
        private func start(_ machine: EmulatedMachine, sending updates: Int) throws {
            let before = machine.backend.counts
            try machine.start()
            #expect((machine.backend.counts - before).updates == updates)
        }

        private func pinnedBytes() -> Int {
            Int((MapLimits.current().pinned() ?? .zero).rawValue)
        }

        /// What a parent that pins has pinned of `module`.
        private func moduleBytes(_ module: MemoryModule) -> Int {
            kernel.usesVirtualAddresses ? 0 : Int(module.block.byteCount.rawValue)
        }
    }
}
