import Testing
import Virtio

@testable import VirtioNet

/// The equation: what entered has left, stands in a named counter or is pending.
@Suite("A frame account")
struct FrameAccountTests {
    /// Every counter that takes a frame away from those that entered.
    static let counters: [any WritableKeyPath<FrameAccount, UInt64> & Sendable] = [
        \.left, \.noBuffer, \.refused, \.tooLong, \.malformed, \.filtered, \.abandoned, \.pending,
    ]

    @Test("balances where every frame is in one counter, whichever", arguments: counters.indices)
    func balances(index: Int) {
        var account = FrameAccount()
        account.entered = 7
        account.left = 4
        account[keyPath: Self.counters[index]] += 3
        #expect(account.balances && account.missing == 0)
    }

    @Test("tells how many frames are nowhere, and how many came from nowhere")
    func missing() {
        var account = FrameAccount()
        account.entered = 5
        account.left = 3
        #expect(account.missing == 2 && !account.balances)
        account.left = 9
        #expect(account.missing == -4 && !account.balances)
    }

    @Test("frames that were cut are among those that left, and the last refusal is no frame")
    func whatIsNoCounter() {
        var account = FrameAccount()
        account.entered = 2
        account.left = 2
        account.cut = 1
        account.lastRefusal = 5
        #expect(account.balances)
    }

    @Test("a port that is full wants room; any other answer is a refusal with its errno")
    func refusals() {
        var account = FrameAccount()
        account.refuse(errno: 11)
        #expect(account.noBuffer == 1 && account.refused == 0 && account.lastRefusal == 0)
        account.refuse(errno: 5)
        #expect(account.noBuffer == 1 && account.refused == 1 && account.lastRefusal == 5)
    }

    @Test("adds up field by field")
    func sum() {
        var one = FrameAccount()
        for (place, counter) in Self.counters.enumerated() { one[keyPath: counter] = UInt64(1 << place) }
        one.entered = 1000
        one.cut = 300
        var two = one
        two.lastRefusal = 6
        one += two
        for (place, counter) in Self.counters.enumerated() {
            #expect(one[keyPath: counter] == UInt64(2 << place))
        }
        #expect(one.entered == 2000 && one.cut == 600 && one.lastRefusal == 6)
    }

    @Test("a queue's account says what its ring swallowed, either way")
    func ring() {
        var driver = FrameAccount()
        var device = FrameAccount()
        (driver.entered, driver.left) = (10, 10)
        (device.entered, device.left) = (8, 8)
        let transmit = QueueAccount(queue: 1, role: .transmit(0), driver: driver, device: device)
        #expect(transmit.direction == .transmit && transmit.missingInRing == -2 && !transmit.balances)
        let receive = QueueAccount(queue: 0, role: .receive(0), driver: device, device: driver)
        #expect(receive.direction == .receive && receive.missingInRing == 2 && !receive.balances)
        let alone = QueueAccount(queue: 1, role: .transmit(0), driver: driver, device: nil)
        #expect(alone.missingInRing == nil && alone.balances)
    }
}
