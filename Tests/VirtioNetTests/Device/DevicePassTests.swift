import GuestMemory
import TestSupport
import Testing
import VirtQueue
import VirtioDevice
import WorkerRuntime

@testable import VirtioNet

/// One pass of a device's worker: how much it does, and what becomes of frames that come in one burst.
@Suite("A pass of the device's worker", .timeLimit(.minutes(15)))
struct DevicePassTests {
    private static let longest = UInt32(NetworkHeader.longestFrameByteCount)

    @Test("is over with so many bytes, however many frames the guest has: longest frames on a loop")
    func bytesOfALoop() throws {
        let device = try SteppedDevice(wire: .loopback)
        for head in 0..<SteppedDevice.size {
            device.rings[0].setDescriptor(Int(head), SteppedDevice.buffers, Self.longest, .write)
            device.rings[1].setDescriptor(Int(head), SteppedDevice.buffers + 0x2_0000, Self.longest)
            device.rings[0].offer(head)
            device.rings[1].offer(head)
        }
        device.kick()
        var passes = 0
        var bytes: UInt64 = 0
        while device.worker.reflect(SplitDeviceQueue.self) {
            passes += 1
            let moved = device.worker.transmit.totals.bytes - bytes
            #expect(moved > 0 && moved < UInt64(PassBudget.byteLimit) + UInt64(Self.longest))
            bytes = device.worker.transmit.totals.bytes
        }
        #expect(device.worker.transmit.totals.packets == UInt64(SteppedDevice.size))
        #expect(
            passes >= Int(SteppedDevice.size) * Int(Self.longest) / (PassBudget.byteLimit + Int(Self.longest))
        )
        #expect(device.worker.receive.account.balances && device.worker.transmit.account.balances)
    }

    @Test(
        "never copies what is longer than any frame, and does not look at a ring of it in one go",
        arguments: [0, 1])
    func noFrames(wire: Int) throws {
        let device = try SteppedDevice(wire: wire == 0 ? .loopback : .none)
        // One table that names the same 192 KiB 1,800 times: 354 MB a chain out of 1 MiB of memory.
        let table = unsafe try RawRing(
            size: 2048, memory: device.block.base + 0x2_0000,
            address: .init(rawValue: SteppedDevice.base + 0x2_0000))
        let segments = 1800
        for place in 0..<segments {
            table.setDescriptor(
                place, SteppedDevice.buffers, 192 << 10, place == segments - 1 ? [] : .next,
                next: UInt16(place + 1))
        }
        for head in 0..<SteppedDevice.size {
            device.rings[0].setDescriptor(Int(head), SteppedDevice.buffers, 4096, .write)
            device.rings[1].setDescriptor(
                Int(head), SteppedDevice.base + 0x2_0000, UInt32(16 * segments), .indirect)
            device.rings[0].offer(head)
            device.rings[1].offer(head)
        }
        device.kick()
        var passes = 0
        while wire == 0
            ? device.worker.reflect(SplitDeviceQueue.self) : device.worker.discard(SplitDeviceQueue.self)
        { passes += 1 }
        #expect(passes >= 8)
        let account = device.worker.transmit.account
        #expect(account.malformed == UInt64(SteppedDevice.size) && account.entered == account.malformed)
        #expect(device.worker.transmit.totals.bytes == 0 && device.worker.receive.totals.packets == 0)
        #expect(device.worker.transmit.totals.errors == UInt64(SteppedDevice.size))
        #expect(device.rings[1].usedIndex == SteppedDevice.size && device.rings[0].usedIndex == 0)
    }

    @Test("sends no frame for a header alone, and one for a byte more", arguments: [0, 1])
    func headerAlone(wire: Int) throws {
        let device = try SteppedDevice(wire: wire == 0 ? .loopback : .none)
        for head in 0..<2 as Range<UInt16> {
            device.rings[0].setDescriptor(Int(head), SteppedDevice.buffers, 2048, .write)
            let byteCount = UInt32(NetworkHeader.byteCount) + UInt32(head)
            device.rings[1].setDescriptor(Int(head), SteppedDevice.buffers + 0x1000, byteCount)
            for ring in device.rings { ring.offer(head) }
        }
        device.kick()
        while wire == 0
            ? device.worker.reflect(SplitDeviceQueue.self) : device.worker.discard(SplitDeviceQueue.self)
        {}
        #expect(device.worker.transmit.totals.packets == 1 && device.worker.transmit.totals.errors == 1)
        #expect(device.worker.transmit.account.malformed == 1 && device.worker.transmit.account.balances)
        #expect(device.worker.receive.totals.packets == (wire == 0 ? 1 : 0))
    }

    @Test("takes so many chains that break a rule and comes again")
    func badChains() throws {
        let device = try SteppedDevice(wire: .none)
        for head in 0..<SteppedDevice.size {
            device.rings[1].setDescriptor(Int(head), SteppedDevice.buffers, 0)
            device.rings[1].offer(head)
        }
        device.kick()
        var passes = 0
        while device.worker.discard(SplitDeviceQueue.self) { passes += 1 }
        #expect(passes == Int(SteppedDevice.size) / ServedQueue.badChainLimit)
        #expect(device.worker.transmit.account.malformed == UInt64(SteppedDevice.size))
    }

    /// Which ring has the chains that break a rule, and what is behind the device.
    enum BadRing: CaseIterable { case loopReceive, loopTransmit, noWireTransmit, portReceive, portTransmit }

    @Test(
        "is over with so many segments of chains that break a rule at their end, as of those that break none",
        arguments: BadRing.allCases)
    func longBadChains(bad: BadRing) throws {
        let port = try DatagramPort()
        let wire: WirePort =
            switch bad {
            case .loopReceive, .loopTransmit: .loopback
            case .noWireTransmit: .none
            case .portReceive, .portTransmit: .tap(try port.makeNear())
            }
        let device = try SteppedDevice(wire: wire)
        let queue = bad == .loopReceive || bad == .portReceive ? 0 : 1
        let table = unsafe try RawRing(
            size: 2048, memory: device.block.base + 0x2_0000,
            address: .init(rawValue: SteppedDevice.base + 0x2_0000))
        let segments = 1800
        for place in 0..<segments {
            let flags: RawRing.Flags = queue == 0 ? [.write, .next] : .next
            table.setDescriptor(place, SteppedDevice.buffers, 4096, flags, next: UInt16(place + 1))
        }
        table.setDescriptor(segments, SteppedDevice.buffers, 0)
        for head in 0..<SteppedDevice.size {
            device.rings[1 - queue].setDescriptor(
                Int(head), SteppedDevice.buffers, 4096, queue == 0 ? [] : .write)
            device.rings[queue].setDescriptor(
                Int(head), SteppedDevice.base + 0x2_0000, UInt32(16 * (segments + 1)), .indirect)
            if bad == .loopReceive || bad == .loopTransmit { device.rings[1 - queue].offer(head) }
            device.rings[queue].offer(head)
        }
        device.kick()
        func pass() -> Bool {
            switch bad {
            case .loopReceive, .loopTransmit: device.worker.reflect(SplitDeviceQueue.self)
            case .noWireTransmit: device.worker.discard(SplitDeviceQueue.self)
            case .portReceive: device.worker.receiveFromPort(SplitDeviceQueue.self)
            case .portTransmit: device.worker.transmitToPort(SplitDeviceQueue.self)
            }
        }
        var before: UInt16 = 0
        while pass() {
            let chains = device.rings[queue].usedIndex &- before
            #expect(Int(chains) * segments * 16 < PassBudget.byteLimit + 16 * segments)
            before = device.rings[queue].usedIndex
        }
        #expect(before == SteppedDevice.size)
        #expect(device.worker.transmit.account.balances && device.worker.receive.account.balances)
        #expect(device.worker.transmit.account.malformed == (queue == 1 ? UInt64(SteppedDevice.size) : 0))
    }

    @Test(
        "of a worker that fails blames no port: what was with it is abandoned, and nothing was refused",
        arguments: [0, 1])
    func failedLoop(queue: Int) throws {
        let wire = try DatagramPort()
        let device = try SteppedDevice(wire: .tap(wire.makeNear()))
        for head in 0..<8 as Range<UInt16> {
            device.rings[queue].setDescriptor(
                Int(head), SteppedDevice.buffers, 1012, queue == 0 ? .write : [])
            device.rings[queue].offer(head)
        }
        device.kick()
        device.worker.loop.loseRing()
        _ =
            queue == 0
            ? device.worker.receiveFromPort(SplitDeviceQueue.self)
            : device.worker.transmitToPort(SplitDeviceQueue.self)
        let hasFailed = device.worker.loop.hasFailed
        #expect(hasFailed)
        let (account, counts) = device.worker.withQueue(queue) { ($0.account, $0.totals) }
        #expect(account.lastRefusal == 0 && account.refused == 0 && counts.errors == 0)
        #expect(account.abandoned == (queue == 0 ? 0 : 8) && account.balances)
    }

    @Test("reads a port in bursts that grow with what was found, and shrink with it")
    func bursts() throws {
        let wire = try DatagramPort()
        let device = try SteppedDevice(wire: .tap(wire.makeNear()))
        for head in 0..<SteppedDevice.size {
            device.rings[0].setDescriptor(
                Int(head), SteppedDevice.buffers + UInt64(head) * 2048, 2048, .write)
            device.rings[0].offer(head)
        }
        device.kick()
        var expected = FileWire.smallestBurst
        var number = 0
        while expected <= FileWire.batchSize {
            for _ in 0..<expected {
                // A socket holds fewer frames than the longest burst reads: the worker is made to look in between.
                guard wire.send(DatagramPort.frame(60, number: number)) else { break }
                number += 1
            }
            let before = device.worker.receive.totals.packets
            _ = device.worker.receiveFromPort(SplitDeviceQueue.self)
            #expect(device.worker.loop.batchCount == expected)
            let found = Int(device.worker.receive.totals.packets - before)
            let next = min(FileWire.batchSize, max(FileWire.smallestBurst, 2 * found))
            #expect(device.worker.fileWire.burst == next)
            guard next > expected else { break }
            expected = next
            device.worker.loop.isPortReadable = true
        }
        #expect(expected > FileWire.smallestBurst)
        device.worker.loop.isPortReadable = true
        _ = device.worker.receiveFromPort(SplitDeviceQueue.self)
        device.worker.loop.isPortReadable = true
        _ = device.worker.receiveFromPort(SplitDeviceQueue.self)
        #expect(device.worker.fileWire.burst == FileWire.smallestBurst)
        #expect(Int(device.worker.receive.totals.packets) == number)
        #expect(device.worker.receive.account.balances)
    }

    @Test(
        "a frame that moves down into a shorter chain must fit there: both are dropped, and nothing is overrun"
    )
    func shorterChain() throws {
        let wire = try DatagramPort()
        let device = try SteppedDevice(wire: .tap(wire.makeNear()))
        // The short chain ends where the mapped memory does.
        device.rings[0].setDescriptor(0, device.end - 40, 40, .write)
        device.rings[0].setDescriptor(1, SteppedDevice.buffers, 2048, .write)
        for head in 0..<2 as Range<UInt16> { device.rings[0].offer(head) }
        for number in 1...2 { #expect(wire.send(DatagramPort.frame(600, number: number))) }
        device.kick()
        while device.worker.receiveFromPort(SplitDeviceQueue.self) {}
        let account = device.worker.receive.account
        #expect(account.entered == 2 && account.tooLong == 2 && account.left == 0)
        #expect(device.worker.receive.totals.drops == 2)
        #expect(device.rings[0].usedIndex == 0)
        #expect(device.isGuardIntact)
    }

    @Test("a frame too long for its own chain is dropped, whichever chain it would move down to")
    func longerChain() throws {
        let wire = try DatagramPort()
        let device = try SteppedDevice(wire: .tap(wire.makeNear()))
        device.rings[0].setDescriptor(0, SteppedDevice.buffers, 100, .write)
        device.rings[0].setDescriptor(1, SteppedDevice.buffers + 0x1000, 50, .write)
        for head in 0..<2 as Range<UInt16> { device.rings[0].offer(head) }
        // The first fits neither, the second the first chain alone.
        for byteCount in [600, 60] { #expect(wire.send(DatagramPort.frame(byteCount))) }
        device.kick()
        while device.worker.receiveFromPort(SplitDeviceQueue.self) {}
        let account = device.worker.receive.account
        #expect(account.entered == 2 && account.tooLong == 2 && account.left == 0)
        #expect(device.rings[0].usedIndex == 0)
    }

    @Test(
        "gives the guest a header of its own: no offload and one buffer, whatever the port's says and however it is cut",
        arguments: [1, 5, 10, 11, 12, 64])
    func receivedHeader(firstSegment: Int) throws {
        let wire = try DatagramPort()
        let device = try SteppedDevice(wire: .tap(wire.makeNear()))
        let start = SteppedDevice.buffers
        device.rings[0].setDescriptor(0, start, UInt32(firstSegment), [.write, .next], next: 1)
        device.rings[0].setDescriptor(1, start + UInt64(firstSegment), 2048, .write)
        device.rings[0].offer(0)
        let frame = DatagramPort.frame(200, number: 3)
        let payload = Array(frame.dropFirst(NetworkHeader.byteCount))
        #expect(wire.send([UInt8](repeating: 0xff, count: NetworkHeader.byteCount) + payload))
        device.kick()
        _ = device.worker.receiveFromPort(SplitDeviceQueue.self)
        #expect(device.rings[0].usedIndex == 1)
        var header = [UInt8](repeating: 0, count: NetworkHeader.byteCount)
        header[NetworkHeader.bufferCountOffset] = 1
        #expect((0..<frame.count).map { device[start + UInt64($0)] } == header + payload)
    }

    @Test(
        "a port that is full is want of room and not an error; one that refuses is named by errno",
        arguments: [true, false])
    func fullPort(isFull: Bool) throws {
        let wire = try DatagramPort()
        let device = try SteppedDevice(wire: .tap(wire.makeNear()))
        if !isFull { wire.close() }
        // More rounds than a socket holds frames.
        for round in 0..<16 {
            for head in 0..<SteppedDevice.size {
                device.rings[1].setDescriptor(Int(head), SteppedDevice.buffers, 1012)
                device.rings[1].offer(head)
            }
            device.kick()
            while device.worker.transmitToPort(SplitDeviceQueue.self) {}
            #expect(device.rings[1].usedIndex == SteppedDevice.size &* UInt16(round + 1))
        }
        let (counts, account) = (device.worker.transmit.totals, device.worker.transmit.account)
        #expect(account.entered == 16 * UInt64(SteppedDevice.size) && account.balances)
        if isFull {
            #expect(account.noBuffer > 0 && account.left > 0 && account.refused == 0)
            #expect(counts.drops == account.noBuffer && counts.errors == 0 && account.lastRefusal == 0)
        } else {
            #expect(account.refused == account.entered)
            #expect(DatagramPort.refusals.contains(account.lastRefusal))
            #expect(counts.errors == account.refused && counts.drops == 0)
        }
        var arrived: UInt64 = 0
        while wire.receive() != nil { arrived += 1 }
        #expect(arrived == account.left)
    }
}
