package import VirtQueue

/// A queue that the guest broke, and how.
package struct BrokenQueue: Hashable, Sendable {
    package let error: VirtQueueError
    package let queue: Int

    package init(error: VirtQueueError, queue: Int) {
        self.error = error
        self.queue = queue
    }
}
