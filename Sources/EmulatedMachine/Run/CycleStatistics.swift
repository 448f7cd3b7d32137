package import VhostVDPA

/// What the stops and starts of a run took and sent, all together: as much memory for a million as for one.
package struct CycleStatistics: Sendable {
    /// Stop begin to start end of each.
    package private(set) var durations = DurationHistogram()
    /// The device calls of all of them.
    package private(set) var counts = DeviceCallCounts()
    /// Those after which the driver started over with empty rings, as the device did not say where they stood.
    package private(set) var ringRestarts = 0
    /// Those after which the rings went on from their used index, for the same reason.
    package private(set) var ringRecoveries = 0

    package init() {}

    /// How many there were.
    package var count: Int { durations.count }

    /// Adds one more.
    package mutating func add(_ cycle: CycleMeasurement) {
        durations.record(cycle.duration)
        counts += cycle.counts
        switch cycle.rings {
        case .kept: break
        case .recovered: ringRecoveries += 1
        case .startedOver: ringRestarts += 1
        }
    }
}
