package import GuestMemory

/// Somebody who watches a benchmark. Called on its thread, outside of every timed section.
package protocol CycleObserver: AnyObject {
    /// Guest RAM of `memory` is about to be filled and mapped.
    func willPrepare(_ memory: ByteCount)
    /// `done` of `total` cycles with `memory` are over, warm-up included.
    func didCycle(_ memory: ByteCount, done: Int, total: Int)
}
