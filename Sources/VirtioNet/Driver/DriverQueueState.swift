internal import IOUring
internal import VirtQueue

/// One queue of the guest's driver, as its worker holds it.
struct DriverQueueState: ~Copyable {
    var queue: SplitDriverQueue
    let signals: QueueSignals
    var counts = QueueCounts()
    var account = FrameAccount()
    /// What the device did wrong on this ring, once it has.
    private(set) var failure: VirtQueueError?
    /// Why the device was not woken by a kick.
    private(set) var kickFailure: EventLoopFailure?

    /// Lays the queue out at `memory`, whose host mapping must outlive it.
    init(
        _ memory: UnsafeMutableRawPointer, _ configuration: DriverConfiguration, signals: QueueSignals
    ) throws(VirtioNetError) {
        queue = unsafe try Self.makeQueue(memory, configuration)
        self.signals = signals
    }

    private static func makeQueue(
        _ memory: UnsafeMutableRawPointer, _ configuration: DriverConfiguration
    ) throws(VirtioNetError) -> SplitDriverQueue {
        do throws(VirtQueueError) {
            return unsafe try SplitDriverQueue(
                size: configuration.queueSize, features: configuration.features, memory: memory)
        } catch {
            throw VirtioNetError(.queue(error))
        }
    }

    /// Starts over with an empty ring of another shape at `memory`.
    mutating func replaceQueue(
        _ memory: UnsafeMutableRawPointer, _ configuration: DriverConfiguration
    ) throws(VirtioNetError) {
        queue = unsafe try Self.makeQueue(memory, configuration)
        failure = nil
    }

    /// The next chain the device has returned. A ring that the device broke returns nothing more.
    @inline(__always)
    mutating func reap() -> UsedChain? {
        do throws(VirtQueueError) {
            return try queue.reap()
        } catch {
            if failure == nil {
                failure = error
                counts.errors &+= 1
            }
            return nil
        }
    }

    /// Shows the device what was added and kicks it if it asked to be.
    mutating func publish() {
        guard queue.publish() else { return }
        counts.kicks &+= 1
        if let errno = signals.kick.signal(), kickFailure == nil {
            kickFailure = EventLoopFailure(signalRefused: errno)
        }
    }
}
