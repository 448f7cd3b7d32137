internal import WorkerRuntime

/// The pages that are pinned for each address space, by all of its devices: the kernel's `mm->pinned_vm`. Any thread.
package final class PinLedger: Sendable {
    private let pinned = Guarded<[SimulatedCaller: Int]>([:])

    /// Nobody has pinned a page.
    package init() {}

    /// The pages that are pinned for `client`.
    package func pages(of client: SimulatedCaller) -> Int { pinned.withLock { $0[client] ?? 0 } }

    /// Adds `count` pages to the account of `client`, or takes as many off.
    func add(_ count: Int, for client: SimulatedCaller) {
        pinned.withLock { pinned in
            let left = (pinned[client] ?? 0) + count
            pinned[client] = left == 0 ? nil : left
        }
    }
}
