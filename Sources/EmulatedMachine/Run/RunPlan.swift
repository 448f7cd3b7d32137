/// How long a run goes on and how often it stops and starts its device.
package struct RunPlan: Sendable {
    /// How many stops and starts end the run; `nil` lets ``duration`` end it.
    package var cycles: Int?
    /// Running time between a start and the next stop.
    package var interval: Duration
    /// How long a run without a number of cycles goes on.
    package var duration: Duration
    /// How many generated frames to send at the most; the run ends when they have come back.
    package var packets: UInt64?

    package init(
        cycles: Int? = nil, interval: Duration = .milliseconds(200), duration: Duration = .seconds(10),
        packets: UInt64? = nil
    ) {
        self.cycles = cycles
        self.interval = interval
        self.duration = duration
        self.packets = packets
    }
}
