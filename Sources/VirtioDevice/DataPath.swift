package import GuestMemory
package import LinuxHost
package import VirtQueue
package import Virtio

/// The part of a simulated device that moves packets, as its vDPA parent driver commands it.
///
/// The parent (control thread) decides when a queue may run; the data path (its own worker thread) runs it.
/// Every call is synchronous: when it returns, the worker has done it. A queue that is stopped has nothing in
/// flight, and a map that was replaced is no longer touched.
package protocol DataPath: AnyObject, Sendable {
    /// Replaces the IOTLB that `queues` translate through. I/O in flight is drained first.
    func setTranslation(_ entries: [TranslationEntry], queues: Range<Int>)

    /// Starts a queue at ring position `base`; a queue whose rings do not translate faults and stays stopped.
    ///
    /// A started queue waits for a kick, even where chains are already available.
    func startQueue(_ index: Int, layout: RingLayout, features: VirtioFeatures, base: UInt16)

    /// Stops a queue, with all of its I/O cancelled and drained, and returns its ring position.
    ///
    /// Returns the last position where the queue is stopped already.
    func stopQueue(_ index: Int) -> UInt16

    /// A queue's ring position: the next avail index it takes. A running queue runs on.
    func position(of index: Int) -> UInt16

    /// Polls `kick` from now on, and keeps it; `nil` unbinds.
    ///
    /// An eventfd that is already signalled kicks at once. The data path never reads it.
    func bindKick(_ kick: SharedEventFD?, queue: Int)

    /// Signals `call` when the driver wants a call, and keeps it; `nil` unbinds.
    func bindCall(_ call: SharedEventFD?, queue: Int)

    /// Looks at a queue as if the driver had kicked it.
    func kick(_ queue: Int)

    /// Keeps kicks from now on, instead of losing those of stopped queues: the device is being suspended.
    func holdKicks()

    /// Ends what ``holdKicks()`` began; `true` where the queues are to be kicked for what was kept. A start of any
    /// queue ends it too, with nothing kept.
    func releaseKicks() -> Bool

    /// The configuration space that the worker changes by itself; `nil` where it never does.
    var configurationSpace: ConfigurationSpace? { get }

    /// Ends the worker. Every later call does nothing.
    func shutdown()
}

extension DataPath {
    package func holdKicks() {}

    /// Kicks that nobody kept are made up for: a spurious kick does no harm.
    package func releaseKicks() -> Bool { true }

    package var configurationSpace: ConfigurationSpace? { nil }
}
