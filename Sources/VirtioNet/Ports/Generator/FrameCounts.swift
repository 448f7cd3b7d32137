/// The account of one direction: what was sent is received, abandoned or outstanding, each frame in one of them.
package struct FrameCounts: Equatable, Sendable {
    /// Frames sent, each once.
    package var sent: UInt64 = 0
    /// Frames that came back intact, each counted once.
    package var received: UInt64 = 0
    /// Intact frames that came back again.
    package var duplicated: UInt64 = 0
    /// Received frames that came after one with a higher number.
    package var reordered: UInt64 = 0
    /// Frames that were changed on their way. The frame they were stays outstanding.
    package var corrupted: UInt64 = 0
    /// Frames that are somebody else's.
    package var foreign: UInt64 = 0
    /// Intact frames of this run that nobody sent: a fault of whoever keeps the account.
    package var unsent: UInt64 = 0
    /// Frames whose fate nobody can know: a device that restarts from zero had them. One that comes back after
    /// all counts as received.
    package var abandoned: UInt64 = 0

    package init() {}

    /// Frames that came in, whatever they were.
    package var arrived: UInt64 { received &+ duplicated &+ corrupted &+ foreign &+ unsent }

    /// Frames still to come. Once everything that is in flight has arrived, these are lost.
    package var outstanding: UInt64 { sent - min(sent, received + abandoned) }

    /// Adds another pair's account to this one.
    package static func += (left: inout Self, right: Self) {
        left.sent += right.sent
        left.received += right.received
        left.duplicated += right.duplicated
        left.reordered += right.reordered
        left.corrupted += right.corrupted
        left.foreign += right.foreign
        left.unsent += right.unsent
        left.abandoned += right.abandoned
    }
}
