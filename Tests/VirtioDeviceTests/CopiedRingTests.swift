import Glibc
import GuestMemory
import LinuxHost
import TestSupport
import Testing
import VirtQueue
import Virtio
import VirtioDevice

/// A queue whose driver's memory the device can only copy. This process plays the driver's as well: what the worker has of
/// it are other addresses, with nothing in them that was not copied.
@Suite("A queue in memory that is copied", .timeLimit(.minutes(15)))
struct CopiedRingTests {
    private static let start: UInt64 = 0x10_0000
    private static let ringOffset = 0
    private static let bufferOffset = 1 << 20
    private static let byteCount = 2 << 20

    /// Private memory of the driver's, the device's view of it, and the queue.
    @safe
    private final class Driver {
        let base: UnsafeMutableRawPointer
        let copied: CopiedMemory
        let ring: RawRing
        let events = DeviceEvents()

        init(size: UInt16 = 8) throws {
            let made = unsafe mmap(
                nil, CopiedRingTests.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            unsafe base = try #require(made)
            let address = UInt64(UInt(bitPattern: unsafe base))
            copied = try #require(
                CopiedMemory(address..<address + UInt64(CopiedRingTests.byteCount), of: getpid()))
            ring = unsafe try RawRing(
                size: size, memory: base, address: IOVirtualAddress(rawValue: CopiedRingTests.start))
        }

        deinit { unsafe munmap(base, CopiedRingTests.byteCount) }

        var entries: [TranslationEntry] {
            let address = UInt64(UInt(bitPattern: unsafe base))
            guard
                let range = AddressRange(
                    first: IOVirtualAddress(rawValue: CopiedRingTests.start),
                    byteCount: ByteCount(CopiedRingTests.byteCount))
            else { return [] }
            return [
                TranslationEntry(range: range, host: copied.address(of: address), access: .readWrite)
            ]
        }

        /// The device's address of a buffer, and the driver's own.
        func address(_ offset: Int) -> UInt64 {
            CopiedRingTests.start + UInt64(CopiedRingTests.bufferOffset + offset)
        }
        func buffer(_ offset: Int) -> UnsafeMutablePointer<UInt8> {
            unsafe (base + CopiedRingTests.bufferOffset + offset).assumingMemoryBound(to: UInt8.self)
        }

        func queue(
            _ features: VirtioFeatures = [], base index: UInt16 = 0, call: SharedEventFD? = nil
        ) -> ServedQueue {
            var queue = ServedQueue(index: 0) { [events] in events.append($0) }
            queue.replaceTable(entries)
            queue.start(
                QueueSetup(
                    queue: 0, layout: ring.layout, features: features, state: .split(nextAvail: index),
                    call: call))
            return queue
        }
    }

    /// One pass, which writes the complement of each readable byte of a chain to its writable part.
    private static func complement(
        _ queue: inout ServedQueue, _ segments: inout SegmentBuffer, atMost limit: Int = .max
    ) -> Int {
        queue.resolveRing()
        guard var ring = queue.takeRing(as: SplitDeviceQueue.self) else { return 0 }
        let start = queue.beginBatch(of: ring)
        ring.suppressKicks()
        var (done, pass) = (0, PassBudget(chains: 256))
        while done < limit {
            segments.removeAll()
            guard let chain = queue.nextChain(of: &ring, into: &segments, within: &pass) else { break }
            var bytes: [UInt8] = []
            for index in 0..<chain.readableCount {
                let segment = unsafe segments[chain.readableStart + index]
                unsafe bytes.append(
                    contentsOf: UnsafeRawBufferPointer(start: segment.iov_base, count: segment.iov_len))
            }
            var written = 0
            for index in 0..<chain.writableCount {
                let segment = unsafe segments[chain.writableStart + index]
                for offset in 0..<(unsafe segment.iov_len) where written < bytes.count {
                    unsafe segment.iov_base.storeBytes(
                        of: ~bytes[written], toByteOffset: offset, as: UInt8.self)
                    written += 1
                }
            }
            ring.complete(chain.handle, byteCount: UInt32(written))
            done += 1
        }
        _ = queue.finishBatch(of: &ring, since: start)
        queue.putBack(ring)
        return done
    }

    @Test("A chain's bytes come from the driver and go to it, and no byte beside them")
    func oneChain() throws {
        let driver = try Driver()
        var queue = driver.queue()
        var segments = SegmentBuffer(capacity: 64)
        for offset in 0..<64 { unsafe driver.buffer(offset).pointee = UInt8(offset) }
        driver.ring.setDescriptor(0, driver.address(0), 3, .next, next: 3)
        driver.ring.setDescriptor(3, driver.address(8), 2, .next, next: 5)
        driver.ring.setDescriptor(5, driver.address(32), 16, .write)
        driver.ring.offer(0)
        queue.receiveKicks()
        // What the driver has in the same page meanwhile stays as it is.
        #expect(Self.complement(&queue, &segments) == 1)
        #expect(driver.ring.usedIndex == 1)
        #expect(driver.ring.usedElement(0) == (0, 5))
        let expected: [UInt8] = [~0, ~1, ~2, ~8, ~9] + (37..<64)
        #expect((32..<64).map { unsafe driver.buffer($0).pointee } == expected)
        #expect(driver.events.faults.isEmpty)
    }

    @Test("A chain in an indirect table, and one that is there before the next pass")
    func indirect() throws {
        let driver = try Driver()
        var queue = driver.queue(.indirectDescriptors)
        var segments = SegmentBuffer(capacity: 64)
        for turn in 0..<20 {
            unsafe driver.buffer(0).pointee = UInt8(turn)
            let table = unsafe driver.buffer(4096)
            unsafe UnsafeMutableRawPointer(table).storeBytes(of: driver.address(0), as: UInt64.self)
            unsafe UnsafeMutableRawPointer(table).storeBytes(
                of: 1 | 1 << 32 | 1 << 48, toByteOffset: 8, as: UInt64.self)
            unsafe UnsafeMutableRawPointer(table).storeBytes(
                of: driver.address(1), toByteOffset: 16, as: UInt64.self)
            unsafe UnsafeMutableRawPointer(table).storeBytes(
                of: 1 | 2 << 32, toByteOffset: 24, as: UInt64.self)
            driver.ring.setDescriptor(turn % 8, driver.address(4096), 32, .indirect)
            driver.ring.offer(UInt16(turn % 8))
            queue.receiveKicks()
            #expect(Self.complement(&queue, &segments) == 1)
            #expect(unsafe driver.buffer(1).pointee == ~UInt8(turn))
        }
        #expect(driver.ring.usedIndex == 20 && driver.events.faults.isEmpty)
    }

    @Test("A buffer that its process has unmapped is a fault: its chain comes back with nothing in it")
    func unmappedBuffer() throws {
        let driver = try Driver()
        var queue = driver.queue()
        var segments = SegmentBuffer(capacity: 64)
        let page = HostPage.byteCount
        unsafe mprotect(driver.buffer(page), page, PROT_NONE)
        defer { unsafe mprotect(driver.buffer(page), page, PROT_READ | PROT_WRITE) }
        unsafe driver.buffer(0).pointee = 1
        driver.ring.setDescriptor(0, driver.address(page), 8, .next, next: 1)
        driver.ring.setDescriptor(1, driver.address(16), 8, .write)
        driver.ring.setDescriptor(2, driver.address(0), 1, .next, next: 3)
        driver.ring.setDescriptor(3, driver.address(32), 1, .write)
        driver.ring.offer(0)
        driver.ring.offer(2)
        queue.receiveKicks()
        #expect(Self.complement(&queue, &segments) == 1)
        #expect(driver.ring.usedIndex == 2)
        #expect(driver.ring.usedElement(0) == (0, 0) && driver.ring.usedElement(1) == (2, 1))
        #expect(unsafe driver.buffer(32).pointee == ~1)
        #expect(driver.events.faults.map(\.address.rawValue) == [driver.address(page)])
        #expect(queue.tally.faults == 1 && queue.tally.refusedChains == 1)
        // The buffer is there again, and other chains are on their way.
        unsafe mprotect(driver.buffer(page), page, PROT_READ | PROT_WRITE)
        driver.ring.offer(2)
        driver.ring.offer(2)
        queue.receiveKicks()
        #expect(Self.complement(&queue, &segments, atMost: 1) == 1)
        driver.ring.offer(0)
        #expect(Self.complement(&queue, &segments) == 2)
        #expect(driver.ring.usedElement(4) == (0, 8) && driver.events.faults.count == 1)
    }

    @Test("A ring that its process has unmapped is one fault a kick, and nothing moves")
    func unmappedRing() throws {
        let driver = try Driver()
        var queue = driver.queue()
        var segments = SegmentBuffer(capacity: 64)
        driver.ring.setDescriptor(0, driver.address(0), 8)
        driver.ring.offer(0)
        unsafe mprotect(driver.base, HostPage.byteCount, PROT_NONE)
        queue.receiveKicks()
        #expect(Self.complement(&queue, &segments) == 0)
        #expect(driver.events.faults.count == 1)
        unsafe mprotect(driver.base, HostPage.byteCount, PROT_READ | PROT_WRITE)
        queue.receiveKicks()
        #expect(Self.complement(&queue, &segments) == 1)
        #expect(driver.ring.usedIndex == 1)
    }

    @Test("A batch that ends early leaves the other chains for the next pass, and copies them once")
    func shortBatch() throws {
        let driver = try Driver()
        var queue = driver.queue()
        var segments = SegmentBuffer(capacity: 64)
        for chain in 0..<4 {
            unsafe driver.buffer(16 * chain).pointee = UInt8(chain)
            driver.ring.setDescriptor(
                2 * chain, driver.address(16 * chain), 1, .next, next: UInt16(2 * chain + 1))
            driver.ring.setDescriptor(2 * chain + 1, driver.address(16 * chain + 1), 1, .write)
            driver.ring.offer(UInt16(2 * chain))
        }
        queue.receiveKicks()
        for turn in 1...4 {
            #expect(Self.complement(&queue, &segments, atMost: 1) == 1)
            #expect(driver.ring.usedIndex == UInt16(turn))
            #expect(unsafe driver.buffer(16 * (turn - 1) + 1).pointee == ~UInt8(turn - 1))
        }
    }

    @Test("An avail index that no driver can have breaks the ring", arguments: [9, 300, 40_000] as [UInt16])
    func jump(index: UInt16) throws {
        let driver = try Driver()
        var queue = driver.queue()
        var segments = SegmentBuffer(capacity: 64)
        driver.ring.availIndex = index
        queue.receiveKicks()
        #expect(Self.complement(&queue, &segments) == 0)
        #expect(driver.events.broken.count == 1)
    }

    @Test(
        "A descriptor table at any address is copied where the device takes one, and is out of reach elsewhere",
        arguments: [true, false])
    func tableAddress(isTaken: Bool) throws {
        let driver = try Driver()
        var segments = SegmentBuffer(capacity: 64)
        var addresses = driver.ring.layout.addresses
        addresses.descriptorArea = IOVirtualAddress(rawValue: driver.address(4099))
        var queue = ServedQueue(
            index: 0, quirks: SplitRingQuirks(takesAnyTableAddress: isTaken)
        ) { [events = driver.events] in events.append($0) }
        queue.replaceTable(driver.entries)
        queue.start(
            QueueSetup(
                queue: 0, layout: RingLayout(size: 8, addresses: addresses), features: [],
                state: .split(nextAvail: 0)))
        let table = unsafe UnsafeMutableRawPointer(driver.buffer(4099))
        unsafe table.storeBytes(of: driver.address(0), as: UInt64.self)
        unsafe table.storeBytes(of: 1 | 1 << 32 | 1 << 48, toByteOffset: 8, as: UInt64.self)
        unsafe table.storeBytes(of: driver.address(1), toByteOffset: 16, as: UInt64.self)
        unsafe table.storeBytes(of: 1 | 2 << 32, toByteOffset: 24, as: UInt64.self)
        unsafe driver.buffer(0).pointee = 3
        driver.ring.offer(0)
        queue.receiveKicks()
        #expect(Self.complement(&queue, &segments) == (isTaken ? 1 : 0))
        #expect(unsafe driver.buffer(1).pointee == (isTaken ? ~3 : 0))
    }

    /// Both sides sleep whenever they have nothing to do. The indices pass every boundary between their two bytes.
    @Test(
        "No wake-up is lost, and every chain comes back with its own bytes",
        arguments: [2, 64, 512] as [UInt16], [[], .eventIndex] as [VirtioFeatures])
    func wakeups(size: UInt16, features: VirtioFeatures) throws {
        let chains = 20_000
        let driver = try Driver(size: size)
        let (kick, call, end) = (try SharedEventFD(), try SharedEventFD(), Flag())
        var ring = try unsafe SplitDriverQueue(
            size: size, features: features, memory: driver.base, state: .split(nextAvail: 65_000))
        let (entries, layout, events) = (driver.entries, driver.ring.layout, driver.events)
        let device = try TestThread {
            var queue = ServedQueue(index: 0) { events.append($0) }
            var segments = SegmentBuffer(capacity: 64)
            queue.replaceTable(entries)
            queue.start(
                QueueSetup(
                    queue: 0, layout: layout, features: features, state: .split(nextAvail: 65_000),
                    call: call))
            while !end.isSet {
                queue.receiveKicks(Int(clamping: kick.event.drain()))
                if Self.complement(&queue, &segments) > 0 || queue.askForKicks() || queue.isKicked {
                    continue
                }
                kick.event.wait(atMost: .seconds(60))
            }
        }
        var (sent, received, free) = (0, 0, Array(0..<Int(size) / 2))
        var isLost = false
        while received < chains, !isLost {
            while sent < chains, let slot = free.popLast() {
                let buffer = unsafe UnsafeMutableRawPointer(driver.buffer(16 * slot))
                unsafe buffer.storeBytes(of: UInt64(sent), as: UInt64.self)
                unsafe buffer.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
                let isAdded = ring.add(
                    readable: DriverSegment(
                        address: IOVirtualAddress(rawValue: driver.address(16 * slot)), byteCount: 8),
                    writable: DriverSegment(
                        address: IOVirtualAddress(rawValue: driver.address(16 * slot + 8)), byteCount: 8),
                    token: UInt32(slot))
                #expect(isAdded)
                sent += 1
                if ring.publish() { kick.event.signal() }
            }
            var isIdle = true
            while let used = try ring.reap() {
                isIdle = false
                let slot = Int(used.token)
                let buffer = unsafe UnsafeMutableRawPointer(driver.buffer(16 * slot))
                let (number, answer) = unsafe (
                    buffer.load(as: UInt64.self), buffer.load(fromByteOffset: 8, as: UInt64.self)
                )
                guard used.byteCount == 8, answer == ~number else {
                    Issue.record("\(used) of \(number) brought \(answer)")
                    isLost = true
                    break
                }
                free.append(slot)
                received += 1
            }
            guard isIdle, !isLost, !ring.requestCalls() else { continue }
            call.event.wait(atMost: .seconds(60))
            if call.event.drain() == 0, !ring.hasUsed() {
                Issue.record("a call was lost after \(received) chains of \(sent)")
                isLost = true
            }
        }
        end.set()
        kick.event.signal()
        device.wait()
        #expect(received == chains && driver.events.faults.isEmpty && driver.events.broken.isEmpty)
    }
}
