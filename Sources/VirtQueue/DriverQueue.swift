public import GuestMemory
public import Virtio

/// The driver side of a virtqueue, whatever its format: lends buffers to the device and gets them back.
///
/// A batch is: `add` chains, `publish` once, a kick if `publish` says so; `reap` until it gives `nil`. No function
/// allocates, locks or makes a system call. Code over queues of any format is chosen as the device side's is, see
/// ``DeviceQueue``.
///
/// **Errors.** A device that returns what it was not lent breaks the queue: every later `reap` gives the same error and
/// `add` refuses, until ``reset(to:)``.
///
/// **Thread.** One thread at a time. **Life.** The ring's memory must outlive the queue.
public protocol DriverQueue: ~Copyable {
    /// Makes an empty ring of `size` in the block at `memory`, which has a ``RingGeometry``; zeroes it. The ring starts
    /// at `state`, as its device must.
    ///
    /// - Throws: ``VirtQueueError/Code/invalidSize(_:)`` or ``VirtQueueError/Code/misalignedRing(_:)``.
    @unsafe
    init(
        size: UInt16, features: VirtioFeatures, memory: UnsafeMutableRawPointer, state: QueueState
    ) throws(VirtQueueError)

    /// The queue in `queue`, where it is of this type.
    static func unwrap(_ queue: consuming AnyDriverQueue) -> Self?
    /// The same queue, for who keeps queues of any format.
    consuming func wrapped() -> AnyDriverQueue

    /// The number of descriptors.
    var size: Int { get }
    /// The descriptors that no chain uses; zero in a broken queue.
    var freeDescriptors: Int { get }
    /// The chains added and not reaped, published or not.
    var inFlight: Int { get }
    /// The chains reaped so far, modulo 2¹⁶: only differences mean something.
    var chainsReaped: UInt16 { get }
    /// Whether the device has returned what it cannot have.
    var isBroken: Bool { get }

    /// Adds a chain of one device-readable buffer; `false` where no descriptor is free.
    mutating func add(readable: DriverSegment, token: UInt32) -> Bool
    /// Adds a chain of one device-writable buffer; `false` where no descriptor is free.
    mutating func add(writable: DriverSegment, token: UInt32) -> Bool
    /// Adds a chain of a device-readable and a device-writable buffer; `false` where fewer than two are free.
    mutating func add(readable: DriverSegment, writable: DriverSegment, token: UInt32) -> Bool
    /// Adds a chain of these buffers, one descriptor each; `false` where there are not enough free ones. At least one
    /// buffer, each of at least one byte, together less than 4 GiB.
    @unsafe
    mutating func add(
        readable: UnsafeBufferPointer<DriverSegment>, writable: UnsafeBufferPointer<DriverSegment>,
        token: UInt32
    ) -> Bool
    /// Adds a chain through an indirect table of 16 bytes a buffer, which stands at `address` for the device; `false`
    /// where no descriptor is free. INDIRECT_DESC must have been negotiated.
    @unsafe
    mutating func add(
        readable: UnsafeBufferPointer<DriverSegment>, writable: UnsafeBufferPointer<DriverSegment>,
        token: UInt32, indirectTable table: UnsafeMutableRawPointer, at address: IOVirtualAddress
    ) -> Bool

    /// Shows the device all added chains at once; `true` where it wants a kick for them.
    mutating func publish() -> Bool
    /// Takes the next chain the device has returned; `nil` where there is none.
    mutating func reap() throws(VirtQueueError) -> UsedChain?
    /// Whether the device has returned chains that are not yet reaped; `false` in a broken queue.
    func hasUsed() -> Bool

    /// Asks the device not to call: a hint.
    mutating func suppressCalls()
    /// Asks the device to call once it has returned `chains` more; `true` where it already has and no call will come.
    mutating func requestCalls(after chains: Int) -> Bool

    /// Empties the ring and starts again at `state`: for a device that has lost its state.
    mutating func reset(to state: QueueState)
    /// Takes back any chain that is in flight and gives its token, or `nil` where there is none. The ring is unusable
    /// until ``reset(to:)``.
    mutating func detach() -> UInt32?
}

/// Work on driver queues of one format, which is not known before the features are; see ``RingFormat``.
public protocol DriverQueueVisitor: ~Copyable {
    /// Does the work with queues of this type, and says what it has to say of it.
    mutating func visit<Queue: DriverQueue & ~Copyable>(_ queue: Queue.Type) -> Bool
}
