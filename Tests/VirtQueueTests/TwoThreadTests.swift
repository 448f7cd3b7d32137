import Dispatch
import Glibc
import GuestMemory
import SeededRandom
import Synchronization
import TestSupport
import Testing
import VirtQueue
import Virtio

/// Each side on its own thread.
@Suite(.serialized)
struct TwoThreadTests {
    /// What a lost wake-up would wait for in vain; no test passes by waiting.
    static let patience = DispatchTimeInterval.seconds(60)

    /// What an eventfd is between two threads.
    final class Event: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        func signal() { semaphore.signal() }
        func wait() -> Bool { semaphore.wait(timeout: .now() + TwoThreadTests.patience) == .success }
    }

    /// Both sides sleep whenever they have nothing to do; each chain carries a number there and back.
    @Test(
        "No wake-up is lost and every chain comes back with its own bytes", .timeLimit(.minutes(15)),
        arguments: [1, 2, 64] as [UInt16], [[], .eventIndex] as [VirtioFeatures])
    func wakeups(size: UInt16, features: VirtioFeatures) throws {
        let chains = 5000
        let geometry = try RingGeometry(size: size)
        let memory = ProgramMemory(ringBytes: geometry.byteCount, fragment: ProgramMemory.bufferBytes)
        let kick = Event()
        let call = Event()
        var driver = try unsafe SplitDriverQueue(
            size: size, features: features, memory: memory.ring.start, state: .split(nextAvail: 65_000))
        let device = try TestThread {
            do {
                try Self.echo(chains, geometry, features, memory, kick, call)
            } catch {
                Issue.record(error)
            }
        }
        let buffers = try #require(memory.blocks.first { $0.address == ProgramMemory.bufferAddress })
        var sent = 0
        var received = 0
        var seen = [Bool](repeating: false, count: chains)
        // Without a pair of descriptors the number travels one way only.
        let isPair = size > 1
        var freeSlots = Array(0..<Int(size))
        while received < chains {
            while sent < chains, let slot = freeSlots.last {
                let offset = 16 * slot
                let segment = DriverSegment(
                    address: IOVirtualAddress(rawValue: ProgramMemory.bufferAddress + UInt64(offset)),
                    byteCount: 8)
                let back = DriverSegment(
                    address: IOVirtualAddress(rawValue: ProgramMemory.bufferAddress + UInt64(offset) + 8),
                    byteCount: 8)
                unsafe buffers.start.storeBytes(of: UInt64(sent), toByteOffset: offset, as: UInt64.self)
                let token = UInt32(slot) << 16
                let isAdded =
                    isPair
                    ? driver.add(readable: segment, writable: back, token: token)
                    : driver.add(readable: segment, token: token)
                guard isAdded else { break }
                freeSlots.removeLast()
                sent += 1
            }
            if driver.publish() { kick.signal() }
            driver.suppressCalls()
            var isIdle = true
            while let used = try driver.reap() {
                isIdle = false
                let slot = Int(used.token >> 16)
                freeSlots.append(slot)
                let number = unsafe buffers.start.load(
                    fromByteOffset: 16 * slot + (isPair ? 8 : 0), as: UInt64.self)
                let expected = isPair ? ~number : number
                guard used.byteCount == (isPair ? 8 : 0), expected < UInt64(chains), !seen[Int(expected)]
                else {
                    Issue.record("\(used) brought \(expected)")
                    return
                }
                seen[Int(expected)] = true
                received += 1
            }
            if isIdle, !driver.requestCalls(), !call.wait() {
                Issue.record("a call was lost after \(received) chains of \(sent)")
                return
            }
        }
        device.wait()
        #expect(seen.allSatisfy { $0 })
    }

    /// The device thread: writes the complement of each number behind it, a few chains per batch.
    static func echo(
        _ chains: Int, _ geometry: RingGeometry, _ features: VirtioFeatures, _ memory: ProgramMemory,
        _ kick: Event, _ call: Event
    ) throws {
        var table = memory.table()
        var device = try SplitDeviceQueue(
            layout: geometry.layout(at: IOVirtualAddress(rawValue: ProgramMemory.ringAddress)),
            features: features, state: .split(nextAvail: 65_000), translation: &table)
        var segments = SegmentBuffer(capacity: 64)
        var done = 0
        while done < chains {
            device.suppressKicks()
            var batch = 0
            segments.removeAll()
            while batch < 1 + done % 7, let chain = try device.pop(into: &segments, translation: &table) {
                let number = unsafe segments[chain.readableStart].iov_base.load(as: UInt64.self)
                if chain.writableCount == 1 {
                    unsafe segments[chain.writableStart].iov_base.storeBytes(of: ~number, as: UInt64.self)
                }
                device.complete(chain.handle, byteCount: chain.writableBytes)
                batch += 1
            }
            done += batch
            if device.publish() { call.signal() }
            if batch == 0, !device.requestKicks(), !kick.wait() {
                Issue.record("a kick was lost after \(done) chains")
                return
            }
        }
    }

    /// A guest that rewrites its ring while the device reads it.
    @Test(
        "A ring that changes under the device's eyes never leads it outside guest memory",
        arguments: [[], .eventIndex, .indirectDescriptors] as [VirtioFeatures])
    func scribble(features: VirtioFeatures) throws {
        let ring = try HandRing(size: 8)
        let memory = ring.memory
        let scribbler = Scribbler(memory: memory, geometry: ring.geometry)
        let thread = try TestThread { scribbler.run() }
        defer {
            scribbler.stop.store(true, ordering: .relaxed)
            thread.wait()
        }
        var table = memory.table()
        var segments = SegmentBuffer(capacity: 64)
        var device = try ring.device(features, table: &table)
        var outcomes: [Bool: Int] = [:]
        var rounds = 0
        while outcomes[true, default: 0] < 300 || outcomes[false, default: 0] < 300, rounds < 100_000_000 {
            rounds += 1
            segments.removeAll()
            do throws(VirtQueueError) {
                guard let chain = try device.pop(into: &segments, translation: &table) else { continue }
                var bytes = 0
                for index in 0..<segments.count {
                    let segment = unsafe segments[index]
                    let count = unsafe segment.iov_len
                    bytes += count
                    let access: MemoryAccess = index < chain.writableStart ? .read : .write
                    let host = UInt(bitPattern: unsafe segment.iov_base)
                    guard memory.holds(host: host, count: count, access: access) else {
                        Issue.record("a segment of \(count) bytes outside guest memory")
                        return
                    }
                }
                #expect(bytes == Int(chain.readableBytes) + Int(chain.writableBytes))
                device.complete(chain.handle, byteCount: 0)
                outcomes[true, default: 0] += 1
            } catch {
                outcomes[false, default: 0] += 1
                if let chain = error.chain {
                    device.complete(chain, byteCount: 0)
                } else {
                    device = try ring.device(features, state: device.state, table: &table)
                }
            }
            _ = device.publish()
        }
        #expect(outcomes[false, default: 0] > 0, "nothing was ever wrong: the test shows nothing")
        #expect(outcomes[true, default: 0] > 0, "nothing was ever right: the test shows nothing")
    }

    /// A device that rewrites the used ring while the driver reads it.
    @Test("A used ring that changes under the driver's eyes never gives a chain twice")
    func scribbleUsed() throws {
        let ring = try HandRing(size: 8)
        let scribbler = Scribbler(memory: ring.memory, geometry: ring.geometry, usedRing: true)
        let thread = try TestThread { scribbler.run() }
        defer {
            scribbler.stop.store(true, ordering: .relaxed)
            thread.wait()
        }
        var driver = try ring.driver()
        var lent: Set<UInt32> = []
        var token: UInt32 = 0
        var broken = 0
        var reaped = 0
        var rounds = 0
        while broken < 300 || reaped < 300, rounds < 100_000_000 {
            rounds += 1
            let segment = DriverSegment(address: IOVirtualAddress(rawValue: HandRing.buffer), byteCount: 4)
            if driver.add(writable: segment, token: token) {
                lent.insert(token)
                token += 1
            }
            _ = driver.publish()
            do throws(VirtQueueError) {
                guard let used = try driver.reap() else { continue }
                guard lent.remove(used.token) != nil, used.byteCount <= 4 else {
                    Issue.record("reaped \(used)")
                    return
                }
                reaped += 1
            } catch {
                broken += 1
                driver.reset()
                lent = []
            }
            check(driver.inFlight == lent.count)
        }
        #expect(broken > 0, "nothing was ever wrong: the test shows nothing")
        #expect(reaped > 0, "nothing was ever right: the test shows nothing")
    }
}

/// Writes plausible and implausible values over a ring until told to stop.
@safe
final class Scribbler: Sendable {
    let stop = Atomic<Bool>(false)
    private let memory: ProgramMemory
    private let geometry: RingGeometry
    private let usedRing: Bool

    init(memory: ProgramMemory, geometry: RingGeometry, usedRing: Bool = false) {
        self.memory = memory
        self.geometry = geometry
        self.usedRing = usedRing
    }

    func run() {
        var random = SplitMix64(seed: 42)
        while !stop.load(ordering: .relaxed) {
            let value = random.next()
            if usedRing {
                let offset = geometry.deviceAreaOffset
                store(UInt16(truncatingIfNeeded: value) & 7, offset + 4 + 8 * Int(value >> 20 & 7))
                store(UInt16(truncatingIfNeeded: value >> 16) & 7, offset + 8 + 8 * Int(value >> 20 & 7))
                if value >> 60 == 0 { store(UInt16(truncatingIfNeeded: value >> 40), offset + 2) }
                if value >> 60 > 8 { add(1, offset + 2) }
                continue
            }
            let descriptor = 16 * Int(value & 7)
            let addresses: [UInt16] = [0x4000, 0x8000, 0x9000, 0xA000, 0x0010, 0]
            switch value >> 8 & 7 {
            case 0: store(UInt16(truncatingIfNeeded: value >> 16) & 0xFF8, descriptor)
            case 1: store(addresses[Int(value >> 16 & 0xFFFF) % 6], descriptor + 2)
            case 2: store(UInt16(truncatingIfNeeded: value >> 16) & 0x1F0, descriptor + 8)
            case 3: store(UInt16(truncatingIfNeeded: value >> 16) & 7, descriptor + 12)
            case 4: store(UInt16(truncatingIfNeeded: value >> 16) & 15, descriptor + 14)
            case 5: store(UInt16(value >> 16 & 7), geometry.driverAreaOffset + 4 + 2 * Int(value & 7))
            case 6:
                // Mostly what a driver may offer, now and then a jump.
                let used = load(geometry.deviceAreaOffset + 2)
                let ahead = UInt16(value >> 16 & 0xFF)
                store(used &+ (ahead < 250 ? ahead % 8 : ahead), geometry.driverAreaOffset + 2)
            default:
                let offset = Int(value >> 16 & 0x7F) * 2
                let cell = unsafe (memory.tables.start + offset).assumingMemoryBound(to: Atomic<UInt16>.self)
                unsafe cell.pointee.store(
                    offset % 16 == 2 ? 0x4000 : UInt16(value >> 32 & 7), ordering: .relaxed)
            }
        }
    }

    private func store(_ value: UInt16, _ offset: Int) {
        let cell = unsafe (memory.ring.start + offset).assumingMemoryBound(to: Atomic<UInt16>.self)
        unsafe cell.pointee.store(value, ordering: .releasing)
    }

    private func load(_ offset: Int) -> UInt16 {
        let cell = unsafe (memory.ring.start + offset).assumingMemoryBound(to: Atomic<UInt16>.self)
        return unsafe cell.pointee.load(ordering: .acquiring)
    }

    private func add(_ value: UInt16, _ offset: Int) {
        let cell = unsafe (memory.ring.start + offset).assumingMemoryBound(to: Atomic<UInt16>.self)
        _ = unsafe cell.pointee.wrappingAdd(value, ordering: .acquiringAndReleasing)
    }
}
