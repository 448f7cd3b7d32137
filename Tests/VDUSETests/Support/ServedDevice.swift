import GuestMemory
import LinuxHost
import Logging
import TestSupport
import Testing
import VirtQueue
import Virtio
import VirtioDevice
import VirtioNet

@testable import VDUSE

/// A network card whose wire drops everything, a kernel and a driver of the test's own, with a ring of eight descriptors
/// for each queue in the driver's memory.
final class ServedDevice {
    let kernel: KernelDouble
    let card: NetworkDevice
    let rings: [RawRing]
    let events: ServiceEvents
    let interrupt: SharedEventFD
    /// The driver's view of its memory.
    private let view: MappedRegion
    private static let features: VirtioFeatures = [.version1, .accessPlatform, .eventIndex]

    init() throws {
        let (kernel, events) = (try KernelDouble(), try ServiceEvents())
        self.kernel = kernel
        self.events = events
        interrupt = try SharedEventFD()
        card = try NetworkDevice(name: "card", port: .none) { events.append($0) }
        let range = try #require(KernelDouble.memoryRange)
        view = try MappedRegion(range, access: .readWrite, file: kernel.file, fileOffset: 0)
        let host = view.entry.host.rawValue
        rings = try (0..<2).map { queue in
            let offset = UInt64(queue) << 16
            let memory = unsafe try #require(UnsafeMutableRawPointer(bitPattern: UInt(host + offset)))
            return unsafe try RawRing(
                size: 8, memory: memory, address: IOVirtualAddress(rawValue: range.first.rawValue + offset))
        }
    }

    deinit { card.shutdown() }

    /// The service of the card, or of `dataPath` instead of it.
    func makeService(_ dataPath: (any DataPath)? = nil) throws -> VDUSEService<KernelDouble> {
        try VDUSEService(
            kernel,
            VDUSEDescription(
                deviceID: .network, features: Self.features, dataPathFeatures: [.eventIndex], queueCount: 2,
                maximumQueueSize: 1024, configuration: []),
            dataPath: dataPath ?? card, events: events,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// The driver enables its queues, with their rings.
    func enableQueues(at availIndex: UInt16 = 0) {
        kernel.queues = rings.map {
            QueueInformation(
                size: 8, addresses: $0.layout.addresses, availIndex: availIndex, isReady: true)
        }
    }

    /// The driver makes a frame available to be sent, in the buffer behind its rings.
    func offerFrame() {
        let head = rings[1].availIndex % 8
        rings[1].setDescriptor(Int(head), 0x10_0000 + 0x4_0000, 72)
        rings[1].offer(head)
    }

    /// The driver goes through the statuses of a start.
    func start(_ service: inout VDUSEService<KernelDouble>) throws {
        for status in [0, 1, 3, 0xb, 0xf] as [UInt8] {
            kernel.send(.setStatus(DeviceStatus(rawValue: status)))
        }
        try step(&service)
    }

    /// Has the service do what there is to do.
    func step(_ service: inout VDUSEService<KernelDouble>) throws {
        for _ in 0..<3 {
            #expect(try service.step(until: interrupt.descriptor, milliseconds: 0) == nil)
            card.settle()
        }
    }
}
