import GuestMemory
import LinuxHost
import TestSupport
import Testing
import VirtQueue
import Virtio
import VirtioDevice

@testable import VirtioNet

/// More queue pairs than one: queue 2n receives, 2n+1 transmits, and a loop is each pair's own.
@Suite("Queue pairs", .timeLimit(.minutes(15)))
struct QueuePairTests {
    private static let size: UInt16 = 64
    private static let base = GuestPhysicalAddress(rawValue: 0x10_0000)

    /// A driver and a device with `count` pairs on one block of memory, every queue started.
    private final class Machine {
        let block: RAMBlock
        let driver: NetworkDriver
        let device: NetworkDevice

        init(pairs count: Int) throws {
            block = try RAMBlock.allocate(name: "test", byteCount: .mebibytes(32), pages: .base)
            let byteCount = DriverMemory.byteCount(queueSize: QueuePairTests.size, queuePairs: count)
            let memory = unsafe DriverMemory(
                guest: QueuePairTests.base, host: block.base, byteCount: byteCount)
            driver = try NetworkDriver(
                queuePairs: count, port: .generator, memory: memory,
                configuration: DriverConfiguration(
                    queueSize: QueuePairTests.size, deviceAddress: MACAddress(0x5254_0012_3456)))
            device = try NetworkDevice(name: "device", queuePairs: count, port: .loopback) { _ in }
            let range = try #require(
                AddressRange(first: IOVirtualAddress(QueuePairTests.base), byteCount: block.byteCount))
            device.setTranslation(
                [TranslationEntry(range: range, host: block.hostRange.first, access: .readWrite)],
                queues: 0..<2 * count)
            for queue in 0..<2 * count { try start(queue, base: 0) }
        }

        func start(_ queue: Int, base: UInt16) throws {
            device.bindKick(
                try SharedEventFD(duplicating: driver.signals[queue].kick.descriptor), queue: queue)
            device.startQueue(
                queue, layout: try driver.layout(queue, size: QueuePairTests.size),
                features: [.eventIndex, .indirectDescriptors], base: base,
                call: try SharedEventFD(duplicating: driver.signals[queue].call.descriptor))
            driver.signals[queue].kick.signal()
        }

        deinit {
            driver.shutdown()
            device.shutdown()
        }
    }

    @Test("carry frames each on its own queues, and the account is of all of them", arguments: [1, 2, 3, 8])
    func eachCarriesItsOwn(count: Int) throws {
        let machine = try Machine(pairs: count)
        let perPair: UInt64 = 500
        machine.driver.startTraffic(limit: perPair * UInt64(count))
        let isComplete = eventually { machine.driver.counters.frames.received == perPair * UInt64(count) }
        #expect(isComplete, "\(machine.driver.counters.frames)")
        machine.driver.synchronise()
        machine.device.synchronise()
        for pair in 0..<count {
            let frames = machine.driver.counters(ofPair: pair).frames
            #expect(frames.sent == perPair && frames.received == perPair && frames.foreign == 0)
            #expect(machine.device.counts(2 * pair).packets == perPair)
            #expect(machine.device.counts(2 * pair + 1).packets == perPair)
        }
        let frames = machine.driver.counters.frames
        #expect(frames.sent == perPair * UInt64(count) && frames.duplicated == 0 && frames.corrupted == 0)
    }

    @Test("share a limit of frames to the last one")
    func limitThatDoesNotDivide() throws {
        let machine = try Machine(pairs: 3)
        machine.driver.startTraffic(limit: 100)
        #expect(eventually { machine.driver.counters.frames.received == 100 })
        let sent = (0..<3).map { machine.driver.counters(ofPair: $0).frames.sent }
        #expect(sent == [34, 33, 33])
    }

    @Test("are stopped one by one: the others run on")
    func stoppedApart() throws {
        let machine = try Machine(pairs: 2)
        machine.driver.startTraffic()
        func received(_ pair: Int) -> UInt64 { machine.driver.counters(ofPair: pair).frames.received }
        #expect(eventually { received(0) > 200 && received(1) > 200 })

        let bases = (machine.device.stopQueue(2), machine.device.stopQueue(3))
        let stopped = machine.device.counts(2).packets
        let running = received(0)
        #expect(eventually { received(0) > running + 1000 })
        #expect(machine.device.counts(2).packets == stopped)

        try machine.start(2, base: bases.0)
        try machine.start(3, base: bases.1)
        let standing = received(1)
        #expect(eventually { received(1) > standing + 1000 })
        machine.driver.stopTraffic()
        #expect(
            eventually {
                machine.driver.synchronise()
                return machine.driver.counters.frames.outstanding == 0
            })
    }

    @Test("translate through what was set for their own queues")
    func translationOfOneQueue() throws {
        let machine = try Machine(pairs: 2)
        machine.device.setTranslation([], queues: 2..<4)
        machine.driver.startTraffic(limit: 200)
        #expect(eventually { machine.driver.counters(ofPair: 0).frames.received == 100 })
        #expect(eventually { machine.device.counts(3).faults > 0 })
        #expect(machine.device.counts(1).faults == 0)
        #expect(machine.driver.counters(ofPair: 1).frames.received == 0)
    }

    @Test("of a port that is one file are refused")
    func onePort() throws {
        let port = try DatagramPort()
        #expect(throws: VirtioNetError.self) {
            try NetworkDevice(name: "device", queuePairs: 2, port: .tap(port.makeNear())) { _ in }
        }
    }

    @Test("a port of which there cannot be another ends the pairs that were started")
    func laterPairFails() throws {
        for _ in 0..<3 {
            let port = try DatagramPort()
            #expect(throws: VirtioNetError.self) {
                try NetworkDevice(name: "device", queuePairs: 4, port: .tap(port.makeNear())) { _ in }
            }
        }
    }
}
