public import GuestMemory
public import Virtio

/// The device side of a virtqueue, whatever its format: takes chains, returns them, says when to wake.
///
/// For code that serves queues of any format: it is written over a `Queue: DeviceQueue & ~Copyable`, and the format
/// that was negotiated chooses once a batch which one, see ``RingFormat``. A batch is: `pop` until it gives `nil`,
/// `complete` each chain, `publish` once, and a call if `publish` says so. No function allocates, locks or makes a
/// system call.
///
/// **Errors.** An error with a chain concerns that chain alone: it is taken; `complete` it with length zero and go on.
/// One without a chain concerns the ring: the queue ``isBroken``, every later `pop` gives the same error, and only a
/// new queue goes on. Chains in flight can still be returned.
///
/// **Thread.** One thread at a time. **Life.** The maps its table was made of must outlive the queue.
public protocol DeviceQueue: ~Copyable {
    /// Starts the device side of the ring at `layout`, where `state` says that it goes on. Nothing is written.
    ///
    /// - Throws: ``VirtQueueError/Code/invalidSize(_:)``, ``VirtQueueError/Code/misalignedRing(_:)`` or
    ///   ``VirtQueueError/Code/fault(_:)``.
    init(
        layout: RingLayout, features: VirtioFeatures, state: QueueState, translation: inout TranslationTable
    ) throws(VirtQueueError)

    /// The queue in `queue`, where it is of this type.
    static func unwrap(_ queue: consuming AnyDeviceQueue) -> Self?
    /// The same queue, for who keeps queues of any format.
    consuming func wrapped() -> AnyDeviceQueue

    /// The number of descriptors.
    var size: Int { get }
    /// Where the ring goes on: what to save once nothing is in flight.
    var state: QueueState { get }
    /// The chains popped and not completed.
    var inFlight: Int { get }
    /// Whether an error of the ring itself has ended the queue.
    var isBroken: Bool { get }
    /// The chains popped so far less those given back, modulo 2¹⁶: only differences mean something.
    var chainsTaken: UInt16 { get }
    /// The chains completed so far, published or not, modulo 2¹⁶: only differences mean something.
    var chainsReturned: UInt16 { get }

    /// Takes the next chain and appends its segments to `segments`; `nil` where there is none.
    ///
    /// O(descriptors). On an error nothing stays appended, and the buffer says how much was.
    mutating func pop(
        into segments: inout SegmentBuffer, translation: inout TranslationTable
    ) throws(VirtQueueError) -> DescriptorChain?
    /// Gives back the chain popped last, which is not completed: the next `pop` takes it again. Several go back newest
    /// first.
    mutating func rewind(_ chain: ChainHandle)
    /// Returns a chain to the driver: `byteCount` bytes were written to its device-writable segments. In any order; the
    /// driver sees nothing before ``publish()``.
    mutating func complete(_ chain: ChainHandle, byteCount: UInt32)
    /// Shows the driver all completed chains at once; `true` where it wants a call for them.
    mutating func publish() -> Bool

    /// Asks the driver not to kick: a hint.
    mutating func suppressKicks()
    /// Asks the driver to kick for the next chain; `true` where one is already there and no kick will come for it.
    mutating func requestKicks() -> Bool
    /// Whether the driver has made chains available that are not yet popped; `false` in a broken queue.
    func hasAvailable() -> Bool
}

/// Work on device queues of one format, which is not known before the features are; see ``RingFormat``.
public protocol DeviceQueueVisitor: ~Copyable {
    /// Does the work with queues of this type, and says what it has to say of it.
    mutating func visit<Queue: DeviceQueue & ~Copyable>(_ queue: Queue.Type) -> Bool
}
