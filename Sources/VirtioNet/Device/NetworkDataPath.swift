package import VirtioDevice
package import Virtio

/// The data path of a network device, whatever moves its frames.
package protocol NetworkDataPath: DataPath {
    /// The device's queues.
    var queues: QueueMap { get }
    /// The MTU of the wire's interface when the device was made, where it has one: a driver's buffers should have room
    /// for such frames.
    var wireMTU: Int? { get }
    /// Where the frames on the wire are recorded; `nil` where they are not.
    var capture: CaptureFile? { get }
    /// What queue `index` has done so far. Any thread.
    func counts(_ index: Int) -> QueueCounts
    /// What became of the frames of queue `index` so far. Any thread; exact once the queue is stopped.
    func account(_ index: Int) -> FrameAccount
    /// Returns when the workers have published what they had done before.
    func synchronise()
    /// Returns when what the workers have recorded is on its way to ``capture``. Nothing to do where there is none.
    func flushCapture()
}

extension NetworkDataPath {
    package var wireMTU: Int? { nil }
    package var capture: CaptureFile? { nil }
    package func flushCapture() {}
}
