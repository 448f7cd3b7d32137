internal import VirtioNet

/// The frames that stood in the transmit rings at one moment, and how many of them still do.
///
/// Frames that come later, as a TAP goes on to give them, are none of its: a device that takes them is not waited
/// for until nobody sends any more.
struct RingDrain {
    /// What the driver has back of each transmit queue, or has abandoned, once all of its frames are gone.
    private let goals: [UInt64]

    /// Begins with the frames that are in the rings now.
    init(_ accounts: [QueueAccount]) {
        goals = Self.sides(accounts).map { Self.gone($0) &+ $0.pending }
    }

    /// Those of the frames that the device has not returned yet.
    func standing(in accounts: [QueueAccount]) -> UInt64 {
        zip(goals, Self.sides(accounts)).reduce(0) { $0 + $1.0 - min($1.0, Self.gone($1.1)) }
    }

    private static func sides(_ accounts: [QueueAccount]) -> [FrameAccount] {
        accounts.filter { $0.direction == .transmit }.map(\.driver)
    }

    private static func gone(_ side: FrameAccount) -> UInt64 { side.left &+ side.abandoned }
}
