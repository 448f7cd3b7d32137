import GuestMemory
import LinuxHost
import SystemPackage
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtQueue
import Virtio

/// Ring positions from guest memory, of a device that gave none.
struct RecoveredBaseTests {
    /// A harness whose queues stand in memory that is there: RAM of 512 KiB at 1 MiB.
    struct Scene {
        let harness: Harness
        let block: RAMBlock
        let section: MemorySection

        init(isReadOnly: Bool = false, _ configure: (RecordingDevice) -> Void = { _ in }) throws {
            block = try RAMBlock.allocate(name: "rings", byteCount: .kibibytes(512))
            let range = try #require(
                AddressRange(
                    first: GuestPhysicalAddress(rawValue: 0x10_0000), byteCount: .kibibytes(512)))
            section = MemorySection(
                range: range, regionName: "rings", regionOffset: .zero,
                backing: .memory(host: block.hostRange.first), isReadOnly: isReadOnly)
            let device = RecordingDevice()
            configure(device)
            harness = try Harness(device, addressSpace: FakeAddressSpace([section]))
        }

        /// Writes the used index of a queue, as its device would.
        func setUsedIndex(_ value: UInt16, of queue: VringSetup) throws {
            let offset = queue.layout.addresses.deviceArea.rawValue - section.range.first.rawValue + 2
            let host = UInt(block.hostRange.first.rawValue + offset)
            guard let index = unsafe UnsafeMutableRawPointer(bitPattern: host) else {
                Issue.record("no memory")
                return
            }
            unsafe index.storeBytes(of: value.littleEndian, as: UInt16.self)
        }
    }

    @Test(
        "a stop without SUSPEND gives no base; the used index does",
        arguments: [0, 7, 0x8000, 0xffff] as [UInt16])
    func usedIndex(value: UInt16) throws {
        let scene = try Scene { $0.failure = { $0 == "SUSPEND" ? .ioError : nil } }
        let backend = scene.harness.backend
        try scene.harness.start()
        try scene.setUsedIndex(value, of: scene.harness.queues[0])
        try scene.setUsedIndex(value &+ 1, of: scene.harness.queues[1])
        #expect(try backend.stop().map(\.base) == [nil, nil])
        _ = scene.harness.device.takeTrace()
        var queues = scene.harness.queues
        for index in queues.indices { queues[index].base = try backend.recoveredBase(of: queues[index]) }
        #expect(queues.map(\.base.rawValue) == [UInt32(value), UInt32(value &+ 1)])
        #expect(scene.harness.device.takeTrace() == [], "memory says it, and not the device")
        try backend.start(features: Harness.features, queues: queues)
        #expect(
            scene.harness.device.takeTrace().filter { $0.hasPrefix("SET_VRING_BASE") }
                == ["SET_VRING_BASE 0 \(value)", "SET_VRING_BASE 1 \(value &+ 1)"])
    }

    @Test("it can be asked of a device that is stopped, and in no other state")
    func states() throws {
        let scene = try Scene()
        let backend = scene.harness.backend
        let queue = scene.harness.queues[0]
        func refused() -> Bool {
            do throws(BackendError) {
                _ = try backend.recoveredBase(of: queue)
                return false
            } catch { return error.code == .invalidState }
        }
        #expect(refused(), "opened: the ring has never run")
        try scene.harness.start()
        #expect(refused(), "started: the device writes it")
        try backend.stop()
        #expect(!refused())
        try backend.reset()
        #expect(!refused())
        try scene.harness.start()
        try backend.reset()
        #expect(!refused())
        backend.close()
        #expect(refused())
    }

    @Test("a start that failed once the device could run leaves rings that can be recovered")
    func failedStart() throws {
        let scene = try Scene()
        scene.harness.device.failure = { $0 == "SET_STATUS 0xf" ? .ioError : nil }
        try scene.setUsedIndex(3, of: scene.harness.queues[0])
        let error = #expect(throws: BackendError.self) { try scene.harness.start() }
        #expect(error?.ringsMayHaveMoved == true)
        #expect(scene.harness.backend.state == .stopped)
        #expect(try scene.harness.backend.recoveredBase(of: scene.harness.queues[0]).rawValue == 3)
    }

    @Test(
        "the rings of a device that asked for a reset cannot be recovered, however it was reset",
        arguments: [true, false])
    func needsReset(isStopped: Bool) throws {
        let scene = try Scene()
        let backend = scene.harness.backend
        try scene.harness.start()
        try scene.setUsedIndex(7, of: scene.harness.queues[0])
        scene.harness.device.extraStatus = .needsReset
        EventFD.signal(backend.configurationInterrupt)
        #expect(try backend.handleConfigurationInterrupt() == .needsReset)
        if isStopped {
            #expect(try backend.stop(reason: .recovery).map(\.loss) == [.deviceBroken, .deviceBroken])
        } else {
            try backend.reset()
        }
        let error = #expect(throws: BackendError.self) {
            _ = try backend.recoveredBase(of: scene.harness.queues[0])
        }
        #expect(error?.code == .ringNotRecoverable)
        #expect(error?.message.contains("asked for a reset") == true)
        // What counts is how the device ran last.
        try scene.harness.start()
        try backend.stop()
        #expect(try backend.recoveredBase(of: scene.harness.queues[0]).rawValue == 7)
    }

    @Test("a packed ring cannot be recovered")
    func packed() throws {
        let scene = try Scene { $0.features.insert(.packedRing) }
        let backend = scene.harness.backend
        try backend.start(
            features: Harness.features.union(.packedRing), queues: scene.harness.queues)
        try backend.stop()
        let error = #expect(throws: BackendError.self) {
            _ = try backend.recoveredBase(of: scene.harness.queues[0])
        }
        #expect(error?.code == .ringNotRecoverable)
        #expect(error?.message.contains("packed") == true)
        // What counts is what the device ran with last.
        try scene.harness.start()
        try backend.stop()
        #expect(try backend.recoveredBase(of: scene.harness.queues[0]) == .zero)
    }

    @Test(
        "a used ring outside the device's memory cannot be recovered",
        arguments: [
            0x0f_fffc,  // before the section
            0x17_fffe,  // two bytes in it, two behind
            0x18_0000,  // behind it
            0x10_2001,  // in it, not aligned to 4
            0xffff_ffff_ffff_fffe,  // wraps
        ] as [UInt64])
    func outside(address: UInt64) throws {
        let scene = try Scene()
        try scene.harness.start()
        try scene.harness.backend.stop()
        var queue = scene.harness.queues[0]
        queue.layout.addresses.deviceArea = IOVirtualAddress(rawValue: address)
        let error = #expect(throws: BackendError.self) {
            _ = try scene.harness.backend.recoveredBase(of: queue)
        }
        #expect(error?.code == .ringNotRecoverable)
    }

    @Test("the last four bytes of a section hold a used ring's start")
    func lastBytes() throws {
        let scene = try Scene()
        try scene.harness.start()
        try scene.harness.backend.stop()
        var queue = scene.harness.queues[0]
        queue.layout.addresses.deviceArea = IOVirtualAddress(rawValue: 0x17_fffc)
        try scene.setUsedIndex(9, of: queue)
        #expect(try scene.harness.backend.recoveredBase(of: queue).rawValue == 9)
    }

    @Test("memory that is gone, or that the device cannot write, has no used ring")
    func notWritable() throws {
        let rom = try Scene(isReadOnly: true)
        try rom.harness.start()
        try rom.harness.backend.stop()
        let first = #expect(throws: BackendError.self) {
            _ = try rom.harness.backend.recoveredBase(of: rom.harness.queues[0])
        }
        #expect(first?.code == .ringNotRecoverable)
        let ram = try Scene()
        try ram.harness.start()
        try ram.harness.backend.stop()
        #expect(try ram.harness.backend.recoveredBase(of: ram.harness.queues[0]) == .zero)
        try ram.harness.addressSpace.unplug(ram.section)
        let second = #expect(throws: BackendError.self) {
            _ = try ram.harness.backend.recoveredBase(of: ram.harness.queues[0])
        }
        #expect(second?.code == .ringNotRecoverable)
    }
}
