/// What a queue is for (virtio 1.2, sections 5.1.2 and 5.2.2).
public enum QueueRole: Hashable, Sendable {
    /// A network device's queue that frames come from: the receive queue of a pair, by the pair's number.
    case receive(Int)
    /// A network device's queue that frames go to: the transmit queue of a pair, by the pair's number.
    case transmit(Int)
    /// A network device's control queue.
    case control
    /// A queue of requests, by its number, as a block device has them.
    case request(Int)
}
