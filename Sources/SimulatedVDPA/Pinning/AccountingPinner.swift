package import GuestMemory
package import Logging
internal import WorkerRuntime

/// A pinner that keeps the account and checks the memory, and pins nothing.
///
/// It gives every error that real pinning gives; only VmPin in `/proc/self/status` does not move.
package final class AccountingPinner: Pinner, Sendable {
    private let account: Guarded<PinAccount>
    private let limit: @Sendable () -> Int

    /// Makes an account with its own count; `limit` gives the highest number of pages, asked at every pin, and
    /// `mappings` what memory the process has.
    package init(
        limit: @escaping @Sendable () -> Int = AccountingPinner.memlockPages,
        mappings: @escaping ProcessMappings.Source = ProcessMappings.current
    ) {
        var account = PinAccount()
        account.mappings = mappings
        self.account = Guarded(account)
        self.limit = limit
    }

    package var pinnedPages: Int { account.withLock { $0.pages } }

    package func prepare() {}

    package func pin(
        start: HostAddress, pages: Int, access: MemoryAccess, limit: Int?, logger: Logger
    ) throws(PinRefusal) {
        let limit = limit ?? self.limit()
        try account.withLock { (account) throws(PinRefusal) in
            _ = try account.charge(start: start, count: pages, access: access, limit: limit)
        }
    }

    package func unpin(start: HostAddress, pages: Int, logger: Logger) {
        account.withLock { $0.discharge(count: pages) }
    }

    /// The soft RLIMIT_MEMLOCK in pages; no limit is `Int.max`.
    package static let memlockPages: @Sendable () -> Int = { PinAccount.memlockPages() }
}
