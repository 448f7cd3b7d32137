import Glibc
import GuestMemory
import Synchronization
import TestSupport
import Testing
import VirtQueue
import Virtio

/// One side publishes while the other goes to sleep, at the same moment, many times.
@Suite(.serialized)
struct NotificationRaceTests {
    /// What the threads of a race share.
    final class Race: Sendable {
        /// Where both threads wait for each other: it counts arrivals.
        let arrivals = Atomic<Int>(0)
        /// Whether the sleeper found something, in this phase.
        let isThere = Atomic<Bool>(false)
        /// Whether the publisher was asked to notify, in this phase.
        let notifies = Atomic<Bool>(false)

        /// Whether one thread has given up and will arrive no more.
        let isOver = Atomic<Bool>(false)

        /// Returns when both threads have called it `round` times.
        func meet(_ round: inout Int) {
            round += 1
            arrivals.wrappingAdd(1, ordering: .acquiringAndReleasing)
            var spins = 0
            while arrivals.load(ordering: .acquiring) < 2 * round, !isOver.load(ordering: .relaxed) {
                spins += 1
                if spins > 2000 { sched_yield() }
            }
        }
    }

    @Test(
        "Either the sleeper sees the chain or the publisher sees the sleeper",
        arguments: [[], .eventIndex] as [VirtioFeatures])
    func race(features: VirtioFeatures) throws {
        let rounds = 40_000
        let ring = try HandRing(size: 4)
        let memory = ring.memory
        let layout = ring.layout
        let race = Race()
        let thread = try TestThread {
            do {
                var table = memory.table()
                var segments = SegmentBuffer(capacity: 4)
                var device = try SplitDeviceQueue(
                    layout: layout, features: features, state: .split(nextAvail: 0), translation: &table)
                var meeting = 0
                for round in 0..<rounds {
                    device.suppressKicks()
                    race.meet(&meeting)
                    for _ in 0..<round % 7 { _ = device.hasAvailable() }
                    race.isThere.store(device.requestKicks(), ordering: .relaxed)
                    race.meet(&meeting)
                    race.meet(&meeting)
                    segments.removeAll()
                    guard let chain = try device.pop(into: &segments, translation: &table) else {
                        Issue.record("no chain in round \(round)")
                        race.isOver.store(true, ordering: .relaxed)
                        return
                    }
                    device.complete(chain.handle, byteCount: 0)
                    race.meet(&meeting)
                    for _ in 0..<round % 5 { _ = device.hasAvailable() }
                    race.notifies.store(device.publish(), ordering: .relaxed)
                    race.meet(&meeting)
                    race.meet(&meeting)
                }
            } catch {
                Issue.record(error)
                race.isOver.store(true, ordering: .relaxed)
            }
        }
        var driver = try ring.driver(features)
        let segment = DriverSegment(address: IOVirtualAddress(rawValue: HandRing.buffer), byteCount: 4)
        var meeting = 0
        for round in 0..<rounds where !race.isOver.load(ordering: .relaxed) {
            check(driver.add(readable: segment, token: 0))
            race.meet(&meeting)
            for _ in 0..<round % 5 { _ = driver.hasUsed() }
            let wantsKick = driver.publish()
            race.meet(&meeting)
            check(wantsKick || race.isThere.load(ordering: .relaxed), "a kick is lost in round \(round)")
            driver.suppressCalls()
            race.meet(&meeting)
            race.meet(&meeting)
            for _ in 0..<round % 7 { _ = driver.hasUsed() }
            let isThere = driver.requestCalls()
            race.meet(&meeting)
            check(isThere || race.notifies.load(ordering: .relaxed), "a call is lost in round \(round)")
            _ = try driver.reap()
            race.meet(&meeting)
        }
        thread.wait()
    }
}
