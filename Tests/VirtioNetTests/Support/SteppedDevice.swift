import GuestMemory
import LinuxHost
import TestSupport
import Testing
import VirtQueue
import Virtio
import VirtioDevice
import WorkerRuntime

@testable import VirtioNet

/// A device's worker that the test runs itself, one pass at a time, on rings that it writes itself.
final class SteppedDevice {
    static let base: UInt64 = 0x1000_0000
    static let size: UInt16 = 256
    private static let guardByte: UInt8 = 0xa5

    let block: RAMBlock
    /// The receive ring and the transmit ring.
    let rings: [RawRing]
    var worker: DeviceWorker
    private let commands: EventFD
    private let mapped: Int

    /// `mapped` bytes are mapped for the device; behind them lies a page that nobody may touch.
    init(wire: consuming WirePort, mapped: Int = 2 << 20) throws {
        self.mapped = mapped
        let block = try RAMBlock.allocate(
            name: "stepped", byteCount: ByteCount(mapped + (1 << 20)), pages: .base)
        self.block = block
        let rings = try (0..<2).map { queue in
            unsafe try RawRing(
                size: Self.size, memory: block.base + queue * 0x1_0000,
                address: IOVirtualAddress(rawValue: Self.base + UInt64(queue * 0x1_0000)))
        }
        self.rings = rings
        commands = try EventFD()
        func queue(_ index: Int, _ role: QueueRole) -> FrameQueue {
            FrameQueue(
                role: role, served: ServedQueue(index: index) { _ in }, counters: QueueCounters())
        }
        worker = try DeviceWorker(
            port: wire, commands: commands.descriptor, receive: queue(0, .receive(0)),
            transmit: queue(1, .transmit(0)))
        unsafe (block.base + mapped).initializeMemory(
            as: UInt8.self, repeating: Self.guardByte, count: 4096)
        let range = try #require(
            AddressRange(
                first: IOVirtualAddress(rawValue: Self.base), byteCount: ByteCount(mapped)))
        let entry = TranslationEntry(range: range, host: block.hostRange.first, access: .readWrite)
        for queue in 0..<2 {
            let layout = rings[queue].layout
            worker.withQueue(queue) { state in
                state.served.replaceTable([entry])
                state.served.start(
                    QueueSetup(
                        queue: queue, layout: layout, features: .indirectDescriptors, state: .initial(.split))
                )
            }
        }
    }

    /// Where buffers may stand for the device, up to ``end``.
    static let buffers: UInt64 = base + 0x4_0000
    var end: UInt64 { Self.base + UInt64(mapped) }

    /// Has the worker look at both rings and at its port.
    func kick() {
        for queue in 0..<2 {
            worker.withQueue(queue) { state in
                state.served.receiveKicks()
                state.served.resolveRing()
            }
        }
        worker.loop.isPortReadable = true
    }

    /// A byte of what is mapped, by its address for the device.
    subscript(address: UInt64) -> UInt8 {
        unsafe block.base.load(fromByteOffset: Int(address - Self.base), as: UInt8.self)
    }

    /// Whether nothing was written behind what is mapped.
    var isGuardIntact: Bool {
        let bytes = unsafe UnsafeRawBufferPointer(start: block.base + mapped, count: 4096)
        return unsafe bytes.allSatisfy { $0 == Self.guardByte }
    }
}
