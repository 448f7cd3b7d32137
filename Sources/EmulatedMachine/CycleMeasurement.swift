package import VhostVDPA

/// What one stop and start took and sent.
package struct CycleMeasurement: Sendable {
    /// From the begin of the stop to the end of its start.
    package let duration: Duration
    /// From the begin of the stop to its end.
    package let stopDuration: Duration
    /// The device calls of both.
    package let counts: DeviceCallCounts
    /// What became of the rings.
    package let rings: RingOutcome

    package init(duration: Duration, stopDuration: Duration, counts: DeviceCallCounts, rings: RingOutcome) {
        self.duration = duration
        self.stopDuration = stopDuration
        self.counts = counts
        self.rings = rings
    }
}
