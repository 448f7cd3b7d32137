package import VirtioNet

/// Somebody who watches a run. Called on the control thread, which waits for it.
package protocol RunObserver: AnyObject {
    /// The device has started for the first time.
    func runDidStart(_ machine: EmulatedMachine)
    /// About once a second.
    func runDidProgress(_ progress: RunProgress)
    /// The device asked for a reset and was started again.
    func runDidRecover()
    /// A port took no frame, or gave none, for a reason that it has not given before.
    func runDidSee(_ refusal: PortRefusal)
    /// The network namespace of a TAP was deleted: it takes frames on, and nobody gets them.
    func runDidLose(_ port: PortSpecification)
    /// A capture was broken off, by a write that was refused or a file that is too slow: what passes from now on is not in
    /// it.
    func runDidFail(_ capture: PortCapture)
    /// No more frames are sent, and `outstanding` ones are waited for.
    func runDidEndTraffic(outstanding: UInt64)
}

extension RunObserver {
    package func runDidStart(_ machine: EmulatedMachine) {}
    package func runDidProgress(_ progress: RunProgress) {}
    package func runDidRecover() {}
    package func runDidSee(_ refusal: PortRefusal) {}
    package func runDidLose(_ port: PortSpecification) {}
    package func runDidFail(_ capture: PortCapture) {}
    package func runDidEndTraffic(outstanding: UInt64) {}
}
