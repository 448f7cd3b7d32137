import GuestMemory
import Testing
import VirtQueue
import Virtio

/// When each side is told: by flag and by event index, around the wrap of the indices.
@Suite
struct NotificationTests {
    static let one = DriverSegment(address: IOVirtualAddress(rawValue: HandRing.buffer), byteCount: 10)

    @Test("The device calls unless the driver's flag says not to", arguments: [UInt16(0), 1, 0xFFFE, 0xFFFF])
    func callFlag(flags: UInt16) throws {
        let ring = try HandRing(size: 4)
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 4)
        var device = try ring.device(table: &table)
        ring.descriptor(0)
        ring.offer(0)
        ring.availFlags = flags
        _ = try device.pop(into: &segments, translation: &table)
        device.complete(ChainHandle(id: 0), byteCount: 0)
        check(device.publish() == (flags & 1 == 0))
    }

    @Test("The driver kicks unless the device's flag says not to", arguments: [UInt16(0), 1, 0xFFFE, 0xFFFF])
    func kickFlag(flags: UInt16) throws {
        let ring = try HandRing(size: 4)
        var driver = try ring.driver()
        ring.usedFlags = flags
        check(driver.add(readable: Self.one, token: 0))
        check(driver.publish() == (flags & 1 == 0))
        check(!driver.publish(), "nothing new")
    }

    /// Each event around a batch, at each place of the indices' wrap.
    @Test(
        "The device calls when the used index passes used_event",
        arguments: [0, 100, 65530, 65535] as [UInt16])
    func usedEvent(base: UInt16) throws {
        for batch in UInt16(1)...4 {
            for distance in -3...6 {
                let ring = try HandRing(size: 4, base: base)
                var table = ring.memory.table()
                var segments = SegmentBuffer(capacity: 8)
                var device = try ring.device(.eventIndex, state: .split(nextAvail: base), table: &table)
                ring.descriptor(0)
                // The first publication always calls; get it out of the way.
                ring.offer(0)
                _ = try device.pop(into: &segments, translation: &table)
                device.complete(ChainHandle(id: 0), byteCount: 0)
                check(device.publish())
                for _ in 0..<batch {
                    ring.offer(0)
                    _ = try device.pop(into: &segments, translation: &table)
                    device.complete(ChainHandle(id: 0), byteCount: 0)
                }
                ring.usedEvent = base &+ 1 &+ UInt16(truncatingIfNeeded: distance)
                // The batch fills the positions 0 up to but not including `batch`.
                check(device.publish() == (0..<Int(batch)).contains(distance), "\(batch), \(distance)")
            }
        }
    }

    @Test(
        "The driver kicks when the avail index passes avail_event",
        arguments: [0, 100, 65530, 65535] as [UInt16])
    func availEvent(base: UInt16) throws {
        for batch in UInt16(1)...4 {
            for distance in -3...6 {
                let ring = try HandRing(size: 4)
                var driver = try ring.driver(.eventIndex, state: .split(nextAvail: base))
                for token in 0..<UInt32(batch) { check(driver.add(readable: Self.one, token: token)) }
                ring.availEvent = base &+ UInt16(truncatingIfNeeded: distance)
                check(driver.publish() == (0..<Int(batch)).contains(distance), "\(batch), \(distance)")
            }
        }
    }

    @Test("A device that starts on a used ring calls the first time, whatever the event says")
    func firstCall() throws {
        let ring = try HandRing(size: 4, base: 8)
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 8)
        var device = try ring.device(.eventIndex, state: .split(nextAvail: 8), table: &table)
        ring.usedEvent = 3
        ring.descriptor(0)
        for expected in [true, false] {
            ring.offer(0)
            _ = try device.pop(into: &segments, translation: &table)
            device.complete(ChainHandle(id: 0), byteCount: 0)
            check(device.publish() == expected)
        }
    }

    @Test("Suppressed kicks do not come, requested ones do", arguments: [VirtioFeatures(), .eventIndex])
    func kicks(features: VirtioFeatures) throws {
        let ring = try HandRing(size: 8)
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 64)
        var driver = try ring.driver(features, state: .split(nextAvail: 65533))
        var device = try ring.device(features, state: .split(nextAvail: 65533), table: &table)
        for _ in 0..<6 {
            device.suppressKicks()
            check(driver.add(readable: Self.one, token: 0))
            check(!driver.publish())
            check(device.requestKicks(), "one is there already")
            try check(device.pop(into: &segments, translation: &table) != nil)
            check(!device.requestKicks())
            check(driver.add(readable: Self.one, token: 0))
            check(driver.publish())
            let chain = try device.pop(into: &segments, translation: &table)
            device.complete(try #require(chain).handle, byteCount: 0)
            device.complete(ChainHandle(id: try #require(chain).id ^ 1), byteCount: 0)
            _ = device.publish()
            driver.reset(to: device.state)
            device = try ring.device(features, state: device.state, table: &table)
        }
    }

    @Test("Suppressed calls do not come, requested ones do", arguments: [VirtioFeatures(), .eventIndex])
    func calls(features: VirtioFeatures) throws {
        let ring = try HandRing(size: 8)
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 64)
        var driver = try ring.driver(features, state: .split(nextAvail: 65533))
        var device = try ring.device(features, state: .split(nextAvail: 65533), table: &table)
        func goRound(_ driver: inout SplitDriverQueue) throws -> Bool {
            segments.removeAll()
            check(driver.add(readable: Self.one, token: 0))
            _ = driver.publish()
            let chain = try #require(try device.pop(into: &segments, translation: &table))
            device.complete(chain.handle, byteCount: 0)
            return device.publish()
        }
        _ = try goRound(&driver)
        _ = try driver.reap()
        for _ in 0..<6 {
            driver.suppressCalls()
            try check(!goRound(&driver))
            check(driver.requestCalls(), "one is there already")
            try check(driver.reap() != nil)
            check(!driver.requestCalls())
            try check(goRound(&driver))
            try check(driver.reap() != nil)
        }
    }

    @Test("A call after several chains comes with the last of them", arguments: 1...4)
    func delayedCalls(chains: Int) throws {
        let ring = try HandRing(size: 8)
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 64)
        var driver = try ring.driver(.eventIndex)
        var device = try ring.device(.eventIndex, table: &table)
        func goRound() throws -> Bool {
            check(driver.add(readable: Self.one, token: 0))
            _ = driver.publish()
            let chain = try #require(try device.pop(into: &segments, translation: &table))
            device.complete(chain.handle, byteCount: 0)
            return device.publish()
        }
        _ = try goRound()
        _ = try driver.reap()
        check(!driver.requestCalls(after: chains))
        for count in 1...chains { try check(goRound() == (count == chains)) }
        check(driver.requestCalls(after: chains), "they are there already")
        if chains < 8 { check(!driver.requestCalls(after: chains + 1)) }
    }
}
