/// What all queue pairs of a driver have done so far. Any thread; each field as of the moment it is read.
package struct DriverTotals: Sendable {
    private let pairs: [DriverCounters]

    init(_ pairs: [DriverCounters]) { self.pairs = pairs }

    /// The receive queues together.
    package var receive: QueueCounts { pairs.reduce(into: QueueCounts()) { $0 += $1.receive } }

    /// The transmit queues together.
    package var transmit: QueueCounts { pairs.reduce(into: QueueCounts()) { $0 += $1.transmit } }

    /// The generators together.
    package var frames: FrameCounts { pairs.reduce(into: FrameCounts()) { $0 += $1.frames } }
}
