internal import VirtQueue

/// A virtqueue as the parent keeps it: what the driver set, and what the queue was enabled with.
struct ParentQueue {
    /// The ring size; set by the driver, kept over a reset, 0 at creation.
    var size: UInt32 = 0
    var addresses = RingAddresses.zero
    var isReady = false
    /// The next avail index the device takes, while the queue is stopped.
    var base: UInt16 = 0
    /// What an enable from 0 to 1 froze; later changes of size and addresses wait for the next one.
    var armed: Armed?
    /// The data path runs the queue.
    var isStarted = false

    struct Armed {
        var layout: SplitQueueLayout
        var features: VirtQueueFeatures
    }

    /// Forgets what a device reset forgets. In vdpa_sim the size stays.
    mutating func reset(forgetsSize: Bool) {
        if forgetsSize { size = 0 }
        addresses = .zero
        isReady = false
        base = 0
        armed = nil
        isStarted = false
    }
}
