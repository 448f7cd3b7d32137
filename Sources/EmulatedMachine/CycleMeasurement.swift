package import VhostVDPA

/// What one stop and start took and sent.
package struct CycleMeasurement: Sendable {
    /// From the begin of the stop to the end of its start.
    package let duration: Duration
    /// From the begin of the stop to its end.
    package let stopDuration: Duration
    /// The device calls of both.
    package let counts: DeviceCallCounts
    /// Whether the rings went on where they stood; otherwise the driver started over.
    package let keptRings: Bool

    package init(duration: Duration, stopDuration: Duration, counts: DeviceCallCounts, keptRings: Bool) {
        self.duration = duration
        self.stopDuration = stopDuration
        self.counts = counts
        self.keptRings = keptRings
    }
}
