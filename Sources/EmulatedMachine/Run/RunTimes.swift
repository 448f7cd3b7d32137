/// The times of a run. Each begins when the first frame may be sent.
package struct RunTimes: Hashable, Sendable {
    /// Until the last frame was seen to come in, stops and starts included: what a rate of frames is measured over.
    package var traffic = Duration.zero
    /// The device's running time alone, without its stops and starts.
    package var running = Duration.zero
    /// Until the device was stopped for good.
    package var wall = Duration.zero

    package init(traffic: Duration = .zero, running: Duration = .zero, wall: Duration = .zero) {
        self.traffic = traffic
        self.running = running
        self.wall = wall
    }
}
