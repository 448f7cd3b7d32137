/// Somebody who watches a run. Called on the control thread, which waits for it.
package protocol RunObserver: AnyObject {
    /// The device has started for the first time.
    func runDidStart(_ machine: EmulatedMachine)
    /// About once a second.
    func runDidProgress(_ progress: RunProgress)
    /// The device asked for a reset and was started again.
    func runDidRecover()
}

extension RunObserver {
    package func runDidStart(_ machine: EmulatedMachine) {}
    package func runDidProgress(_ progress: RunProgress) {}
    package func runDidRecover() {}
}
