package import LinuxHost
package import VirtQueue
package import Virtio

/// What a queue is started with: enough, too, to find its rings again when the IOTLB changes.
package struct QueueSetup: Sendable {
    /// The queue's number in the device.
    package let queue: Int
    package let layout: RingLayout
    /// Those of the negotiated features that the data path goes by.
    package let features: VirtioFeatures
    /// Where the ring goes on.
    package let state: QueueState
    /// How far the used index is behind that (``SplitRingQuirks/usedLag``).
    package let usedLag: UInt16
    /// Signalled when the driver wants a call, until the queue stops; `nil` where nobody is.
    package let call: SharedEventFD?

    package init(
        queue: Int, layout: RingLayout, features: VirtioFeatures, state: QueueState, usedLag: UInt16 = 0,
        call: SharedEventFD? = nil
    ) {
        self.queue = queue
        self.layout = layout
        self.features = features
        self.state = state
        self.usedLag = usedLag
        self.call = call
    }
}
