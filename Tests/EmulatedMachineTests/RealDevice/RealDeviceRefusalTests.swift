import EmulatedMachine
import GuestMemory
import SystemPackage
import TestSupport
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtioNet

extension RealDevice {
    /// Maps that the kernel refuses: what is said of them, and that nothing of them stays.
    @Suite("Maps that a real device refuses")
    struct Refusals {
        private let kernel: KernelDevice
        private let limits = MapLimits.current()

        init() throws { kernel = try .underTest() }

        @Test("too little locked memory: the bytes needed, the limit, and the command that raises it")
        func lockedMemory() throws {
            let pinned = try #require(limits.pinned())
            let limit = pinned.rawValue + 16 << 20
            let error = try ProcessFiles.withLockedMemoryLimit(UInt(limit)) { () throws -> BackendError? in
                guard !kernel.usesVirtualAddresses else {
                    let machine = try makeRealMachine()
                    try expectTraffic(machine)
                    return nil
                }
                return try refusal { _ = try makeRealMachine() }
            }
            #expect(limits.pinned() == pinned)
            guard let error else { return }
            #expect(error.code == .mapRefused)
            #expect(error.errno == .badAddress)
            let text = "\(error)"
            #expect(text.contains("memory pc.ram [0x100000, 0x3ffffff]"), "\(text)")
            // 64 MiB of RAM and the BIOS.
            #expect(text.contains("all guest memory takes \(64 << 20 + 64 << 10) bytes (64 MiB)"), "\(text)")
            #expect(text.contains("is \(limit) bytes"), "\(text)")
            #expect(text.contains("bytes (0 MiB) are pinned"), "\(text)")

            // What the message says is enough, to the byte.
            let advice = try #require(text.firstMatch(of: /`ulimit -l (\d+)` as root/))
            let kibibytes = try #require(UInt(advice.1))
            try ProcessFiles.withLockedMemoryLimit(kibibytes << 10) {
                let machine = try makeRealMachine()
                try expectTraffic(machine)
            }
        }

        @Test(
            "scattered memory beyond the entry limit: refused with the limit and what to do, then a smaller machine"
        )
        func entriesAtOpening() throws {
            try ProcessFiles.withLockedMemoryLimit(nil) {
                let pinned = try #require(limits.pinned())
                let files = try ProcessFiles.settledDescriptors()
                let pages = (limits.entryLimit() ?? 2048) / 8 * 9
                let size = ByteCount(pages * 4096)
                do {
                    let memory = try PCMemoryLayout(memory: size, logger: .quiet)
                    memory.ram.scatter()
                    let path = try #require(KernelDevice.path)
                    let open = {
                        try VhostVDPABackend(
                            device: KernelFile(path: path), addressSpace: memory.addressSpace, logger: .quiet)
                    }
                    if kernel.usesVirtualAddresses {
                        let backend = try open()
                        #expect(backend.mapping == .mapped)
                        #expect(limits.pinned() == pinned)
                        backend.close()
                    } else {
                        let error = #expect(throws: BackendError.self) { _ = try open() }
                        expectEntriesNamed(error, "pc.ram")
                        #expect(limits.pinned() == pinned)
                    }
                }
                #expect(try ProcessFiles.settledDescriptors() == files)
                try expectTraffic(try makeRealMachine())
                #expect(limits.pinned() == pinned)
            }
        }

        @Test(
            "a module beyond the entry limit is refused and taken back half way, under traffic that goes on")
        func entriesAtPlug() throws {
            try ProcessFiles.withLockedMemoryLimit(nil) {
                let machine = try makeRealMachine()
                try machine.start()
                machine.driver.startTraffic()
                try #require(machine.receives(100))
                let pinned = try #require(limits.pinned())
                let block = try RAMBlock.allocate(
                    name: "scattered", byteCount: ByteCount((limits.entryLimit() ?? 2048) / 8 * 9 * 4096),
                    logger: .quiet)
                block.scatter()
                if kernel.usesVirtualAddresses {
                    try machine.memory.plug(block)
                    try machine.memory.unplug(block)
                } else {
                    let error = try refusal { _ = try machine.memory.plug(block) }
                    expectEntriesNamed(error, "scattered")
                }
                #expect(machine.memory.modules.isEmpty)
                #expect(limits.pinned() == pinned)
                try #require(machine.receives(300))
                // The device takes good memory as before.
                let module = try machine.plug(.mebibytes(8))
                try #require(machine.receives(300))
                try machine.unplug(module)
                let frames = machine.settle()
                #expect(frames.isFlawless && frames.abandoned == 0, "\(frames)")
            }
        }

        @Test("memory that is not a shared file mapping is refused before the kernel can skip it")
        func notShared() throws {
            try ProcessFiles.withLockedMemoryLimit(nil) {
                let machine = try makeRealMachine()
                try machine.start()
                machine.driver.startTraffic()
                let pinned = limits.pinned()
                let before = machine.backend.counts
                let block = try RAMBlock.allocate(name: "private", byteCount: .mebibytes(2), logger: .quiet)
                try block.loseFirstPage()
                let error = try refusal { _ = try machine.memory.plug(block) }
                #expect(error.code == .memoryNotShared)
                #expect(error.message.contains("memory private "), "\(error)")
                #expect(error.message.contains("is not a shared file mapping"), "\(error)")
                #expect(machine.backend.counts == before)
                #expect(limits.pinned() == pinned)
                try #require(machine.receives(100))
                #expect(machine.settle().isFlawless)
            }
        }

        private func expectEntriesNamed(_ error: BackendError?, _ region: String) {
            let text = error.map { "\($0)" } ?? ""
            let limit = limits.entryLimit() ?? 2048
            #expect(error?.code == .mapRefused)
            #expect(text.contains("the device refused memory \(region) [0x"), "\(text)")
            #expect(
                text.contains("the limit (max_iotlb_entries of vhost_vdpa and of the parent) is \(limit)"),
                "\(text)")
            #expect(text.contains("use huge pages, or raise it"), "\(text)")
        }

        /// The backend's error in whatever `body` throws.
        private func refusal(_ body: () throws -> Void) throws -> BackendError {
            do {
                try body()
            } catch MachineError.backend(let error) {
                return error
            } catch let error as BackendError {
                return error
            } catch let error as GuestMemoryError {
                return try #require(error.underlying as? BackendError, "\(error)")
            }
            Issue.record("the device took it")
            throw Unrefused()
        }

        private struct Unrefused: Error {}

        private func expectTraffic(_ machine: EmulatedMachine) throws {
            try machine.start()
            machine.driver.startTraffic()
            try #require(machine.receives(300))
            #expect(machine.settle().isFlawless)
            machine.close()
        }
    }
}
