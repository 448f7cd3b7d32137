import CIOUring
import LinuxHost
import SystemPackage
import TestSupport
import Testing
import VirtQueue

@testable import IOUring
@testable import VirtioNet
@testable import WorkerRuntime

/// A worker whose io_uring is taken from it under traffic: every later io_uring_enter of it is answered EBADF.
@Suite("A worker that fails", .timeLimit(.minutes(15)))
struct WorkerFailureTests {
    private func underTraffic() throws -> TestPair {
        let pair = try TestPair()
        try pair.start()
        pair.driver.startTraffic()
        #expect(pair.awaitReceived(500))
        return pair
    }

    @Test("the device's: reported once, by call and errno, and stops still tell where the rings stand")
    func device() throws {
        let pair = try underTraffic()
        pair.device.pairs[0].worker.perform { $0.loop.loseRing() }
        #expect(eventually { pair.device.failure != nil })
        let failure = try #require(pair.device.failure)
        #expect(failure.errno == .badFileDescriptor && failure.call == "io_uring_enter")
        #expect("\(failure)".contains("device") && !"\(failure)".contains("\n"))
        // Every call is answered; nothing moves any more.
        pair.device.kick(1)
        pair.device.settle()
        try pair.start()
        let bases = pair.stop()
        #expect(pair.usedIndex(0) != nil && bases == pair.stop())
        pair.device.shutdown()
        #expect(pair.events.failures == [failure])
    }

    @Test("the device's: its queues stand where the rings do, and no frame is unaccounted for")
    func deviceAccount() throws {
        let pair = try underTraffic()
        pair.device.pairs[0].worker.perform { $0.loop.loseRing() }
        #expect(eventually { pair.device.failure != nil })
        let bases = pair.stop()
        #expect(pair.usedIndex(0) == bases.0 && pair.usedIndex(1) == bases.1)
        // The driver runs on: it fills the ring, and nobody takes what is there.
        #expect(eventually { pair.driver.account(1).pending > 0 })
        pair.driver.stopTraffic()
        pair.driver.synchronise()
        for account in pair.accounts { #expect(account.balances, "\(account)") }
        #expect(pair.driver.account(1).pending > 0)
    }

    @Test("the driver's: known by call and errno, and its commands are answered")
    func driver() throws {
        let pair = try underTraffic()
        pair.driver.pairs[0].worker.perform { $0.loop.loseRing() }
        #expect(eventually { pair.driver.failure != nil })
        let failure = try #require(pair.driver.failure)
        #expect(failure.errno == .badFileDescriptor && "\(failure)".contains("driver"))
        pair.driver.stopTraffic()
        _ = pair.stop()
        pair.driver.synchronise()
        for account in pair.accounts { #expect(account.balances, "\(account)") }
        try pair.driver.reinitialise(pair.configuration)
        pair.driver.shutdown()
    }

    @Test("the driver's: frames that come to it later are abandoned, and its port is not blamed")
    func driverPort() throws {
        let (guest, wire) = (try DatagramPort(), try DatagramPort())
        let pair = try TestPair(guest: .tap(guest.makeNear()), wire: .tap(wire.makeNear()))
        try pair.start()
        pair.driver.pairs[0].worker.perform { $0.loop.loseRing() }
        #expect(eventually { pair.driver.failure != nil })
        for number in 0..<5 {
            #expect(eventually { wire.send(DatagramPort.frame(60, number: number)) })
        }
        #expect(eventually { pair.device.account(0).left == 5 })
        _ = pair.stop()
        pair.driver.synchronise()
        let account = pair.driver.account(0)
        #expect(account.abandoned == 5 && account.refused == 0 && account.lastRefusal == 0)
        for account in pair.accounts { #expect(account.balances, "\(account)") }
    }

    @Test("a call that reaches nobody is a failure, not a queue that hangs")
    func lostCall() throws {
        let full = unsafe try FileDescriptor.open("/dev/full", .writeOnly)
        defer { try? full.close() }
        let pair = try TestPair()
        try pair.start()
        pair.device.bindCall(try SharedEventFD(duplicating: full), queue: 0)
        pair.driver.startTraffic(limit: 64)
        #expect(eventually { pair.device.failure?.errno == .noSpace })
        #expect(pair.device.failure?.call == "write")
    }
}

extension EventLoop {
    /// Has every later submission and wait of this loop go to no ring.
    mutating func loseRing() {
        unsafe ring.ring.pointee.ring_fd = -1
        unsafe ring.ring.pointee.enter_ring_fd = -1
    }
}
