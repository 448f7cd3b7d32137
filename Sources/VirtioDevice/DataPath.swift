package import GuestMemory
package import LinuxHost
package import VirtQueue
package import Virtio
package import WorkerRuntime

/// The part of a simulated device that moves data, as its vDPA parent driver commands it.
///
/// The parent (control thread) decides when a queue may run; the data path (its own worker threads) runs it.
/// Every call is synchronous: when it returns, the workers concerned have done it, each in one visit. That is why the
/// calls speak of several queues at once: a stop costs a guest's downtime one visit a worker, and not one a queue.
/// A queue that is stopped has nothing in flight, and a map that was replaced is no longer touched.
package protocol DataPath: AnyObject, Sendable {
    /// Replaces the IOTLB that `queues` translate through. I/O in flight is drained first.
    func setTranslation(_ entries: [TranslationEntry], queues: Range<Int>)

    /// Replaces the IOTLB that the rings of `queues` translate through, apart from their buffers, for good: the queues of
    /// a parent that has `get_vq_desc_group`. Until the first time the rings go through the buffers' own.
    func setRingTranslation(_ entries: [TranslationEntry], queues: Range<Int>)

    /// Goes by `features` from now on, where what the device does with a chain depends on them: those of its data path that
    /// the driver has set, whenever a queue was started. Its rings go by those of their start.
    func setFeatures(_ features: VirtioFeatures)

    /// Starts queues where they say that they go on; one whose rings do not translate faults at its first kick.
    ///
    /// A started queue waits for a kick, even where chains are already available. A start ends ``suspend(_:)``; kicks that
    /// were kept until then are there for ``resume(_:)`` still.
    func start(_ queues: [QueueSetup])

    /// Stops queues, with all of their I/O cancelled and drained, and lets go of their calls.
    ///
    /// Returns where they stand, in their order; for a queue that is stopped already where it stood then.
    func stop(_ queues: Range<Int>) -> [QueueState]

    /// Stops queues as ``stop(_:)`` does, and keeps the kicks that come from now on, instead of losing those of stopped
    /// queues.
    func suspend(_ queues: Range<Int>) -> [QueueState]

    /// Ends what ``suspend(_:)`` began: starts queues, and looks at them as if they had been kicked where a kick was
    /// kept. Where none are kept a spurious kick makes up for them, and does no harm.
    func resume(_ queues: [QueueSetup])

    /// Ends what ``suspend(_:)`` began without a start, at a reset of the device: kicks are lost from now on. What was kept
    /// is there for a later ``resume(_:)`` where `keepsKicks`.
    func endSuspension(keepsKicks: Bool)

    /// Has a queue that runs go on at `state`, with the used index where it is, and returns where it stood.
    func move(_ queue: Int, to state: QueueState) -> QueueState

    /// Where queues stand, in their order. Those that run run on.
    func states(of queues: Range<Int>) -> [QueueState]

    /// Polls `kick` from now on, and keeps it; `nil` unbinds.
    ///
    /// An eventfd that is already signalled kicks at once. The data path never reads it.
    func bindKick(_ kick: SharedEventFD?, queue: Int)

    /// Signals `call` instead of what a queue that runs was started with, and keeps it; `nil` unbinds.
    func bindCall(_ call: SharedEventFD?, queue: Int)

    /// Looks at queues as if the driver had kicked them.
    func kick(_ queues: Range<Int>)

    /// The configuration space that the worker changes by itself; `nil` where it never does.
    var configurationSpace: ConfigurationSpace? { get }

    /// Why one of the workers serves no more, `nil` while all of them can. Any thread; ``DataPathEvent/failed(_:)`` has
    /// told it when it happened. Such a device stands still for good and can only be ended.
    var failure: WorkerFailure? { get }

    /// Returns when the workers have done everything that was asked of them and sleep, so that what they have not done
    /// by then they will not do without another kick. Not for a device under steady traffic, which never rests.
    func settle()

    /// Ends the workers, and returns when what they had open is closed. Every later call does nothing, and every queue
    /// stands at the beginning.
    func shutdown()
}

extension DataPath {
    /// Of a device whose rings and buffers are always in one address space.
    package func setRingTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {}
    /// Of a device that does the same with a chain whatever was negotiated.
    package func setFeatures(_ features: VirtioFeatures) {}
    package var configurationSpace: ConfigurationSpace? { nil }
    package var failure: WorkerFailure? { nil }
    package func settle() {}
}
