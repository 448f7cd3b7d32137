import Virtio

// What a run is made of is seen by a debug build alone; a kernel's VM has these tests optimised.
#if DEBUG
    import Testing
    import VirtioNet

    @testable import EmulatedMachine

    @Suite("The wait for frames on their way") struct SettlementTests {
        private let begin = ContinuousClock.now

        private func instant(_ milliseconds: Int) -> ContinuousClock.Instant {
            begin.advanced(by: .milliseconds(milliseconds))
        }

        @Test("goes on while frames move, for as long as they do")
        func patient() {
            let patience = SettlePatience(.seconds(5))
            var watch = ReturnWatch(at: begin)
            for step in 1...100 {
                watch.look(at: UInt64(step), at: instant(step * 4000))
                #expect(!patience.isOver(watch, at: instant(step * 4000 + 3999)))
            }
            #expect(patience.isOver(watch, at: instant(405_000)))
            #expect(!patience.isHurried)
        }

        @Test(
            "is short where somebody wants the end and nothing moves, and no longer than its limit where something does"
        )
        func hurried() {
            var patience = SettlePatience(.seconds(5))
            var watch = ReturnWatch(at: begin)
            patience.hurry(at: instant(100))
            #expect(!patience.isOver(watch, at: instant(499)))
            #expect(patience.isOver(watch, at: instant(500)))
            for step in 1..<20 {
                watch.look(at: UInt64(step), at: instant(step * 100))
                // To be hurried again prolongs nothing.
                patience.hurry(at: instant(step * 100))
                #expect(!patience.isOver(watch, at: instant(step * 100)))
            }
            watch.look(at: 100, at: instant(2100))
            #expect(patience.isOver(watch, at: instant(2100)))
            #expect(patience.isHurried)
        }

        @Test("does not count the time in which the process was stopped, and nobody looked")
        func stoppedProcess() {
            var watch = ReturnWatch(at: begin)
            for step in 0...8 { watch.look(at: 0, at: instant(step * 250)) }
            #expect(!watch.isStill(for: .seconds(5), at: instant(2000)))
            // SIGSTOP, and SIGCONT a minute later.
            watch.look(at: 0, at: instant(62_000))
            #expect(!watch.isStill(for: .seconds(5), at: instant(62_000)))
            for step in 1...12 { watch.look(at: 0, at: instant(62_000 + step * 250)) }
            #expect(watch.isStill(for: .seconds(5), at: instant(65_000)))
        }

        @Test("counts the traffic between long stops of the device, and those stops once")
        func longStops() {
            var watch = ReturnWatch(at: begin)
            var now = 0
            var traffic = 0
            while !watch.isStill(for: .seconds(5), at: instant(now)), traffic < 20_000 {
                now += 100
                traffic += 100
                watch.look(at: 0, at: instant(now))
                now += 3000
                watch.discount(.milliseconds(3000))
                watch.look(at: 0, at: instant(now))
            }
            #expect(traffic == 5000)
        }

        @Test("ends when the frames in the transmit rings at its begin are gone, whatever comes after them")
        func drain() {
            func accounts(left: UInt64, pending: UInt64, tooLong: UInt64 = 0, abandoned: UInt64 = 0)
                -> [QueueAccount]
            {
                var side = FrameAccount()
                (side.left, side.pending, side.tooLong, side.abandoned) = (left, pending, tooLong, abandoned)
                side.entered = left + pending + tooLong + abandoned
                var receive = FrameAccount()
                receive.pending = 77
                return [
                    QueueAccount(queue: 0, role: .receive(0), driver: receive, device: nil),
                    QueueAccount(queue: 1, role: .transmit(0), driver: side, device: nil),
                    QueueAccount(queue: 3, role: .transmit(1), driver: side, device: nil),
                ]
            }
            let drain = RingDrain(accounts(left: 100, pending: 20))
            #expect(drain.standing(in: accounts(left: 100, pending: 20)) == 40)
            // A frame that never came into a ring is no sign that others have left it.
            #expect(drain.standing(in: accounts(left: 105, pending: 250, tooLong: 90)) == 30)
            #expect(drain.standing(in: accounts(left: 100, pending: 0, abandoned: 20)) == 0)
            #expect(drain.standing(in: accounts(left: 120, pending: 256)) == 0)
            #expect(drain.standing(in: accounts(left: 5000, pending: 256)) == 0)
        }
    }
#endif
