/// Which queue of a device is for what (virtio 1.2, sections 5.1.2 and 5.2.2). A plain value; each question is
/// answered by arithmetic.
///
/// A network device's queue 2n receives for pair n and queue 2n + 1 transmits for it. Its control queue comes behind the
/// last pair that there can be.
public struct QueueMap: Hashable, Sendable {
    /// The number of queues.
    public let count: Int
    /// The number of queue pairs; none where there are queues of requests.
    public let pairs: Int

    private init(count: Int, pairs: Int) {
        self.count = count
        self.pairs = pairs
    }

    /// A network device's queues: `pairs` of them, one at the least, and a control queue perhaps.
    ///
    /// `pairs` is what the device can have (`max_virtqueue_pairs`) where VIRTIO_NET_F_MQ is negotiated, else 1: that is
    /// where the control queue stands.
    public static func network(pairs: Int, hasControlQueue: Bool) -> QueueMap {
        precondition(pairs > 0, "a network device has a pair of queues")
        return QueueMap(count: 2 * pairs + (hasControlQueue ? 1 : 0), pairs: pairs)
    }

    /// Queues of requests, each like the others, as a block device has them.
    public static func requests(_ count: Int) -> QueueMap {
        precondition(count > 0, "a device has a queue")
        return QueueMap(count: count, pairs: 0)
    }

    /// What queue `queue` is for.
    ///
    /// - Precondition: the device has it.
    public func role(of queue: Int) -> QueueRole {
        precondition(queue >= 0 && queue < count, "a queue that the device does not have")
        if pairs == 0 { return .request(queue) }
        if queue >= 2 * pairs { return .control }
        return queue & 1 == 0 ? .receive(queue >> 1) : .transmit(queue >> 1)
    }

    /// Which queue is for `role`; `nil` where none is.
    public func queue(_ role: QueueRole) -> Int? {
        switch role {
        case .receive(let pair) where 0..<pairs ~= pair: 2 * pair
        case .transmit(let pair) where 0..<pairs ~= pair: 2 * pair + 1
        case .control where pairs > 0 && count > 2 * pairs: 2 * pairs
        case .request(let number) where pairs == 0 && 0..<count ~= number: number
        default: nil
        }
    }

    /// The queues of a pair: the one that receives, then the one that transmits.
    ///
    /// - Precondition: the device has the pair.
    public func pair(_ number: Int) -> Range<Int> {
        precondition(number >= 0 && number < pairs, "a pair that the device does not have")
        return 2 * number..<2 * number + 2
    }

    /// The queues that carry frames: those of every pair.
    public var frameQueues: Range<Int> { 0..<2 * pairs }
}
