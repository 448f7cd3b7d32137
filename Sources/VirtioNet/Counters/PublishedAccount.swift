internal import Synchronization

/// A ``FrameAccount`` where another thread may read it; see ``QueueCounters``.
final class PublishedAccount: Sendable {
    private let entered = Atomic<UInt64>(0)
    private let left = Atomic<UInt64>(0)
    private let noBuffer = Atomic<UInt64>(0)
    private let refused = Atomic<UInt64>(0)
    private let tooLong = Atomic<UInt64>(0)
    private let malformed = Atomic<UInt64>(0)
    private let filtered = Atomic<UInt64>(0)
    private let abandoned = Atomic<UInt64>(0)
    private let pending = Atomic<UInt64>(0)
    private let cut = Atomic<UInt64>(0)
    private let lastRefusal = Atomic<Int32>(0)

    init() {}

    /// Makes `account` what readers see. For the worker that owns the queue.
    func publish(_ account: borrowing FrameAccount) {
        entered.update(account.entered)
        left.update(account.left)
        noBuffer.update(account.noBuffer)
        refused.update(account.refused)
        tooLong.update(account.tooLong)
        malformed.update(account.malformed)
        filtered.update(account.filtered)
        abandoned.update(account.abandoned)
        pending.update(account.pending)
        cut.update(account.cut)
        if lastRefusal.load(ordering: .relaxed) != account.lastRefusal {
            lastRefusal.store(account.lastRefusal, ordering: .relaxed)
        }
    }

    /// The account as last published.
    var snapshot: FrameAccount {
        var account = FrameAccount()
        account.entered = entered.load(ordering: .relaxed)
        account.left = left.load(ordering: .relaxed)
        account.noBuffer = noBuffer.load(ordering: .relaxed)
        account.refused = refused.load(ordering: .relaxed)
        account.tooLong = tooLong.load(ordering: .relaxed)
        account.malformed = malformed.load(ordering: .relaxed)
        account.filtered = filtered.load(ordering: .relaxed)
        account.abandoned = abandoned.load(ordering: .relaxed)
        account.pending = pending.load(ordering: .relaxed)
        account.cut = cut.load(ordering: .relaxed)
        account.lastRefusal = lastRefusal.load(ordering: .relaxed)
        return account
    }
}
