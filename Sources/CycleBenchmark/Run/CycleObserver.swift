package import GuestMemory

/// Somebody who watches a benchmark. Called on its thread, outside of every timed section.
package protocol CycleObserver: AnyObject {
    /// Guest RAM of `memory` is about to be filled and mapped, and nothing is lost if that is broken off.
    func willPrepare(_ memory: ByteCount)
    /// What has been measured from now on is in the outcome, also if the rest is not.
    func didBeginMeasuring(_ memory: ByteCount)
    /// All has been measured; what is left is to close the machine.
    func willEnd()
    /// `done` of `total` cycles of each strategy are over, of those that are done for `purpose`.
    func didCycle(_ memory: ByteCount, _ purpose: CycleSchedule.Turn.Purpose, done: Int, total: Int)
}
