internal import Virtio
internal import VirtioDevice
internal import VirtioNet

/// What `emu vduse --json` prints when it ends.
struct VDUSEReport: JSONResult, Codable, Equatable, Sendable {
    static let schema = JSONSchema.vduse

    /// What has become of the device.
    enum Outcome: String, Codable, Equatable, Sendable {
        /// It was on the bus no more, and was removed.
        case removed
        /// It is still attached: the same command goes on with it.
        case attached
        /// Somebody else has removed it, or it cannot be removed.
        case gone
    }

    /// What a queue has done, as the device sees it.
    struct Queue: Codable, Equatable, Sendable {
        var queue: Int
        /// `receive` or `transmit`, as the driver sees it.
        var direction: String
        /// Frames that came to the queue, and that went on from it.
        var entered: UInt64
        var left: UInt64
        /// Frames that came to their end there.
        var dropped: UInt64
        var kicks: UInt64
        var interrupts: UInt64
        /// Chains and rings that broke a rule, and accesses to what the driver has not mapped.
        var errors: UInt64
        var faults: UInt64
    }

    var name: String
    var wire: String
    /// The device was there and attached when emu began.
    var wasTakenOver: Bool
    /// How often a driver has started the device, a take-over included.
    var starts = 0
    var outcome = Outcome.gone
    var queues: [Queue] = []
    /// What was wrong; empty where nothing was.
    var problems: [String] = []

    init(name: String, wire: String, wasTakenOver: Bool) {
        self.name = name
        self.wire = wire
        self.wasTakenOver = wasTakenOver
    }

    private func direction(_ role: QueueRole) -> String {
        if case .receive = role { "receive" } else { "transmit" }
    }

    /// Takes what the queues of `network`, which has ended, have done, and what is wrong with it.
    mutating func take(_ network: any NetworkDataPath) {
        queues = network.queues.frameQueues.map { index in
            let (counts, account) = (network.counts(index), network.account(index))
            return Queue(
                queue: index, direction: direction(network.queues.role(of: index)),
                entered: account.entered, left: account.left, dropped: account.dropped, kicks: counts.kicks,
                interrupts: counts.calls, errors: counts.errors, faults: counts.faults)
        }
        for index in network.queues.frameQueues where !network.account(index).balances {
            problems.append("queue \(index): \(network.account(index).missing) frames are in no counter")
        }
        if let capture = network.capture, let failure = capture.outcome.failure {
            problems.append(
                "the capture \(capture.path) broke off after \(capture.outcome.recorded) frames: \(failure)")
        }
    }
}
