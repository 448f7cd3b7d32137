/// What became of the frames of one queue on one side of it, the driver's or the device's.
///
/// Every frame that entered has left, stands in a named counter or is pending. `entered` and `left` are counted at
/// different places, by the ring's own index on one side of the equation and by whoever makes or takes the frames on the
/// other, so that the equation can fail: ``missing`` says by how much.
///
/// | side | queue | a frame enters | a frame leaves |
/// |---|---|---|---|
/// | driver | transmit | made by the generator or read from the guest's port | returned by the device, which has sent it |
/// | device | transmit | taken from the ring | given to the wire |
/// | device | receive | come from the wire | returned to the driver in a chain |
/// | driver | receive | found in a chain that the device returned | checked by the generator or given to the guest's port |
///
/// A receive chain that the device returns empty is no frame: it stands in the driver's ``QueueCounts/errors`` alone.
package struct FrameAccount: Equatable, Sendable {
    /// Frames that came to this side of the queue.
    package var entered: UInt64 = 0
    /// Frames that went on from it, whole but for those of ``cut``.
    package var left: UInt64 = 0
    /// Dropped for want of room: no free buffer, or a port whose queue is full (EAGAIN).
    package var noBuffer: UInt64 = 0
    /// Refused by the port; ``lastRefusal`` says with what.
    package var refused: UInt64 = 0
    /// Dropped because the frame is longer than the buffer it goes to.
    package var tooLong: UInt64 = 0
    /// Chains that hold no frame: one that breaks the ring's rules or cannot be reached, is shorter than a header or
    /// longer than any frame. From a port, what is shorter than a header.
    package var malformed: UInt64 = 0
    /// Dropped by a simulator's receive filter, as the kernel's vdpa_sim_net does: meant for another address.
    package var filtered: UInt64 = 0
    /// Still in a ring that started over, or with a worker that stopped for good: whether the frame was sent nobody can
    /// tell.
    package var abandoned: UInt64 = 0
    /// In the ring at this moment.
    package var pending: UInt64 = 0
    /// Frames among those that left which were cut to the length of a page or of their chain. Only a simulator does
    /// that, as the kernel's vdpa_sim_net does.
    package var cut: UInt64 = 0
    /// The errno of the port's last refusal, 0 for none. Where ``refused`` is 0 a read was refused, which costs no
    /// frame that is known of.
    package var lastRefusal: Int32 = 0

    package init() {}

    /// Frames that entered and are nowhere; below zero where more came out than went in. Exact between two batches.
    package var missing: Int64 { Int64(bitPattern: entered &- left &- held) }

    /// Whether every frame that entered is accounted for.
    package var balances: Bool { missing == 0 }

    /// Frames that have come to their end on this side, by name.
    package var dropped: UInt64 { noBuffer &+ refused &+ tooLong &+ malformed &+ filtered &+ abandoned }

    private var held: UInt64 { dropped &+ pending }

    /// Counts a frame that the port answered with `errno` instead of taking it.
    mutating func refuse(errno: Int32) {
        if errno == Self.portIsFull {
            noBuffer &+= 1
        } else {
            refused &+= 1
            lastRefusal = errno
        }
    }

    private static let portIsFull: Int32 = 11  // EAGAIN

    /// Adds another queue's account to this one; its refusal is kept where this one has none.
    package static func += (left: inout Self, right: Self) {
        left.entered &+= right.entered
        left.left &+= right.left
        left.noBuffer &+= right.noBuffer
        left.refused &+= right.refused
        left.tooLong &+= right.tooLong
        left.malformed &+= right.malformed
        left.filtered &+= right.filtered
        left.abandoned &+= right.abandoned
        left.pending &+= right.pending
        left.cut &+= right.cut
        if left.lastRefusal == 0 { left.lastRefusal = right.lastRefusal }
    }
}
