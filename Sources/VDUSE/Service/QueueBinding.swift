internal import LinuxHost

/// A queue as the service has it, between the kernel and the data path.
struct QueueBinding {
    /// Where a queue stopped that its driver has not reset since.
    struct Stop {
        /// The next entry of the avail ring.
        let availIndex: UInt16
        /// What the kernel had as the beginning of the ring: as long as it has that, nobody has moved the ring.
        let kernelIndex: UInt16?
    }

    /// What the kernel signals for the driver's kicks; `nil` after a reset.
    var kick: SharedEventFD?
    /// What the data path signals to have the driver interrupted.
    let call: SharedEventFD
    /// The data path has the queue.
    var isStarted = false
    /// The driver has kicked the queue, and it could not start yet.
    var isKicked = false
    /// The driver is to be interrupted, and the kernel has refused it so far.
    var owesInterrupt = false
    /// It may have run since the reset, here or with another process: its used index says where it goes on.
    var hasRun = false
    /// Where it stopped here; `nil` where it has not run here since the reset.
    var stop: Stop?
    /// Why it could not start, as it was said last.
    var refusal: String?

    init(call: SharedEventFD) { self.call = call }

    /// Forgets what a reset of the device forgets.
    mutating func reset() { self = QueueBinding(call: call) }
}
