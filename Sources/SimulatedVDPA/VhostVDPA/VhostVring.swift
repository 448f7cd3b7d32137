internal import VirtQueue

/// What vhost itself keeps of a queue, apart from the device: it survives every status reset.
struct VhostVring {
    var size: UInt32 = 0
    var addresses = RingAddresses.zero
    /// The last base set or read.
    var base: UInt32 = 0
    var busyLoopTimeout: UInt32 = 0
    var kick: EventFile?
    var call: EventFile?
    var error: EventFile?
}
