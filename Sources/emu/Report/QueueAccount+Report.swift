internal import VirtioNet

extension RunReport {
    /// What became of the frames of one queue.
    struct QueueAccount: Codable, Equatable, Sendable {
        /// One side of a queue: every frame that entered has left, is pending or stands in a counter of its own.
        struct Side: Codable, Equatable, Sendable {
            var entered: UInt64 = 0
            var left: UInt64 = 0
            /// Dropped for want of a buffer.
            var noBuffer: UInt64 = 0
            /// Refused by the port, and the errno that it answered last.
            var refused: UInt64 = 0
            var lastRefusal: Int32?
            /// Dropped, as no buffer is as long.
            var tooLong: UInt64 = 0
            /// Chains that broke the ring's rules, or held no frame.
            var malformed: UInt64 = 0
            /// Dropped by a simulator's receive filter.
            var filtered: UInt64 = 0
            /// In a ring that started over, or with a worker that stopped for good: whether they were sent nobody can
            /// tell.
            var abandoned: UInt64 = 0
            /// Still in the ring at the end.
            var pending: UInt64 = 0
            /// Frames among those that left which a simulator cut, as the kernel's does.
            var cut: UInt64 = 0
            /// Frames that entered and are nowhere; below zero where more came out than went in.
            var missing: Int64 = 0
        }

        var queue: Int
        /// `receive` or `transmit`, as the guest sees it.
        var direction: String
        var driver: Side
        /// None of a real device, which keeps none.
        var device: Side?
        /// Frames that one side gave to the ring and the other did not take; none where one side is not known.
        var missingInRing: Int64?
    }
}

extension RunReport.QueueAccount {
    init(_ account: VirtioNet.QueueAccount) {
        queue = account.queue
        direction = account.direction.rawValue
        driver = Side(account.driver)
        device = account.device.map(Side.init)
        missingInRing = account.missingInRing
    }

    var isTransmit: Bool { direction == VirtioNet.QueueAccount.Direction.transmit.rawValue }

    /// The sides as a frame comes to them, with their names.
    var sides: [(name: String, account: Side)] {
        let sides = [("driver", driver)] + (device.map { [("device", $0)] } ?? [])
        return isTransmit ? sides : sides.reversed()
    }

    /// Adds up queues of one direction; sides that one of them does not have, none has.
    static func sum(_ accounts: [Self]) -> Self? {
        guard var sum = accounts.first else { return nil }
        for account in accounts.dropFirst() {
            sum.driver += account.driver
            if let device = account.device { sum.device? += device }
            if let missing = account.missingInRing { sum.missingInRing? += missing }
        }
        return sum
    }

    /// Whether every frame is accounted for on both sides and between them.
    var balances: Bool { driver.missing == 0 && (device?.missing ?? 0) == 0 && (missingInRing ?? 0) == 0 }
}

extension RunReport.QueueAccount.Side {
    init(_ account: FrameAccount) {
        entered = account.entered
        left = account.left
        noBuffer = account.noBuffer
        refused = account.refused
        lastRefusal = account.lastRefusal == 0 ? nil : account.lastRefusal
        tooLong = account.tooLong
        malformed = account.malformed
        filtered = account.filtered
        abandoned = account.abandoned
        pending = account.pending
        cut = account.cut
        missing = account.missing
    }

    /// Frames that came to their end here, or did not come on yet, by name; none of those that there are no frames of.
    var named: [(count: UInt64, words: String)] {
        [
            (noBuffer, "dropped for want of a buffer"), (refused, "refused by the port"),
            (tooLong, "dropped as too long"), (malformed, "in broken chains"), (filtered, "filtered"),
            (abandoned, "abandoned in rings that started over or with a worker that stopped"),
            (pending, "still in the ring at the end"),
        ].filter { $0.0 > 0 }
    }

    /// How many of the frames that left are not whole, in words that go on after the others; empty of none.
    var cutText: String { cut == 0 ? "" : ", \(NumberText.grouped(cut)) of those out cut" }

    /// Frames in a named counter that will not come any further.
    var dropped: UInt64 { noBuffer + refused + tooLong + malformed + filtered }

    static func += (left: inout Self, right: Self) {
        left.entered += right.entered
        left.left += right.left
        left.noBuffer += right.noBuffer
        left.refused += right.refused
        left.lastRefusal = left.lastRefusal ?? right.lastRefusal
        left.tooLong += right.tooLong
        left.malformed += right.malformed
        left.filtered += right.filtered
        left.abandoned += right.abandoned
        left.pending += right.pending
        left.cut += right.cut
        left.missing += right.missing
    }
}
