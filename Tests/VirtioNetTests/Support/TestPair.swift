import GuestMemory
import LinuxHost
import TestSupport
import VirtQueue
import Virtio
import VirtioDevice
import WorkerRuntime

@testable import VirtioNet

/// A driver and a device on one block of memory, with nothing of a backend between them: the test is the backend.
final class TestPair {
    static let guestBase = GuestPhysicalAddress(rawValue: 0x10_0000)

    let block: RAMBlock
    let driver: NetworkDriver
    let device: NetworkDevice
    let events = DeviceEvents()
    var configuration: DriverConfiguration

    init(
        queueSize: UInt16 = 256, guest: consuming sending GuestPort = .generator,
        wire: consuming sending WirePort = .loopback, frameByteCount: Int = 64,
        bufferStride: Int = DriverBuffers.defaultStride
    ) throws {
        let byteCount = DriverMemory.byteCount(queueSize: 1024, bufferStride: bufferStride)
        block = try RAMBlock.allocate(name: "test", byteCount: .mebibytes(32), pages: .base)
        configuration = DriverConfiguration(
            queueSize: queueSize, deviceAddress: MACAddress(0x5254_0012_3456), frameByteCount: frameByteCount)
        let memory = unsafe DriverMemory(
            guest: Self.guestBase, host: block.base, byteCount: byteCount, bufferStride: bufferStride)
        driver = try NetworkDriver(port: guest, memory: memory, configuration: configuration)
        let events = events
        device = try NetworkDevice(name: "device", port: wire) { events.append($0) }
    }

    /// The whole block, as the device's IOTLB has it.
    var entries: [TranslationEntry] {
        let range = AddressRange(
            first: IOVirtualAddress(Self.guestBase), byteCount: block.byteCount)
        return range.map { [TranslationEntry(range: $0, host: block.hostRange.first, access: .readWrite)] }
            ?? []
    }

    /// What a backend does at a start: maps, eventfds, queues, a kick each.
    func start(bases: (UInt16, UInt16) = (0, 0), entries: [TranslationEntry]? = nil) throws {
        device.setTranslation(entries ?? self.entries, queues: 0..<2)
        for (index, base) in [bases.0, bases.1].enumerated() {
            device.bindKick(
                try SharedEventFD(duplicating: driver.signals[index].kick.descriptor), queue: index)
            device.startQueue(
                index, layout: try driver.layout(index, size: configuration.queueSize),
                features: configuration.features, base: base,
                call: try SharedEventFD(duplicating: driver.signals[index].call.descriptor))
        }
        for signals in driver.signals { signals.kick.signal() }
    }

    /// What it does at a stop. Returns the ring bases.
    func stop() -> (UInt16, UInt16) {
        (device.stopQueue(0), device.stopQueue(1))
    }

    /// The used index of a queue as it stands in guest memory.
    func usedIndex(_ queue: Int) -> UInt16? {
        guard let layout = try? driver.layout(queue, size: configuration.queueSize) else { return nil }
        let offset = layout.addresses.deviceArea.rawValue - Self.guestBase.rawValue
        guard let ring = block.hostRange.first.advanced(by: ByteCount(rawValue: offset)) else { return nil }
        return unsafe UsedIndex(usedRing: ring)?.value
    }

    /// What became of the frames of both queues.
    var accounts: [QueueAccount] {
        (0..<2).map {
            QueueAccount(
                queue: $0, role: driver.queues.role(of: $0), driver: driver.account($0),
                device: device.account($0))
        }
    }

    /// Waits until as many generated frames have come back as were sent. Returns the account then, or where some stay
    /// away.
    func settle() -> FrameCounts {
        _ = eventually {
            self.driver.synchronise()
            return self.driver.counters.frames.outstanding == 0
        }
        return driver.counters.frames
    }

    /// Waits until `count` frames have come back.
    func awaitReceived(_ count: UInt64) -> Bool {
        eventually { self.driver.counters.frames.received >= count }
    }

    deinit {
        driver.shutdown()
        device.shutdown()
    }
}
