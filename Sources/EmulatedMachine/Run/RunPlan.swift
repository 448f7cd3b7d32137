/// How long a run goes on and how often it stops and starts its device.
///
/// A run is done when it has made its ``cycles`` and has its ``packets`` back, where it is given any. Its ``duration``
/// ends it before that; without the two others, nothing else does.
package struct RunPlan: Sendable {
    /// How many stops and starts there are: none with 0, as many as there is time for with `nil`.
    package var cycles: Int?
    /// Running time between a start and the next stop.
    package var interval: Duration
    /// How long the run goes on at the most; `nil` for as long as it takes.
    package var duration: Duration?
    /// How many generated frames to send; `nil` for as many as there is time for.
    package var packets: UInt64?
    /// How long nothing must have come back before what is outstanding counts as lost.
    package var patience: Duration

    package init(
        cycles: Int? = nil, interval: Duration = .milliseconds(200), duration: Duration? = nil,
        packets: UInt64? = nil,
        patience: Duration = .seconds(5)
    ) {
        self.cycles = cycles
        self.interval = interval
        self.duration = duration
        self.packets = packets
        self.patience = patience
    }

    /// Whether there is something to do that can be done before the time is up.
    var hasGoal: Bool { packets != nil || (cycles ?? 0) > 0 }

    /// Whether another stop is due after `made` of them.
    func wantsStop(after made: Int) -> Bool { cycles.map { made < $0 } ?? true }
}
