package import GuestMemory
package import VirtQueue
package import WorkerRuntime

/// What a data path tells its parent driver of its own accord, from the worker thread.
package enum DataPathEvent: Sendable {
    /// The device touched an address that its IOTLB does not permit. Nothing was read or written there.
    case fault(TranslationFault, queue: Int)
    /// The driver broke the ring's rules: the queue has stopped and the device needs a reset.
    case queueBroken(VirtQueueError, queue: Int)
    /// A worker moves no more frames, whatever happens: its queues stand still and the device needs a reset, which
    /// does not heal it.
    case failed(WorkerFailure)
}
