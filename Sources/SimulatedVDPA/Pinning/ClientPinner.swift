package import GuestMemory
package import Logging
internal import SystemPackage
internal import WorkerRuntime

/// A pinner of one device that other processes use: it keeps the account and checks the memory, as ``AccountingPinner``
/// does, and what a client has pinned by its other devices counts against its limit too.
///
/// The kernel counts on the account of the owner's address space (`dev->mm`), whoever closes the file in the end.
package final class ClientPinner: Pinner, Sendable {
    private struct State {
        var account = PinAccount()
        /// Whose pages they are, while there are any: a file has one owner.
        var client: SimulatedCaller?
    }

    private let state = Guarded(State())
    private let ledger: PinLedger
    private let caller: @Sendable () -> SimulatedCaller

    /// Makes an account of its own in `ledger`, which all devices share; `caller` says whose call is answered.
    package init(_ ledger: PinLedger, caller: @escaping @Sendable () -> SimulatedCaller) {
        self.ledger = ledger
        self.caller = caller
        state.withLock { state in
            state.account.mappings = { range throws(Errno) in try caller().process.mappings(range) }
        }
    }

    package var pinnedPages: Int { state.withLock { $0.account.pages } }

    package func prepare() {}

    package func pin(
        start: HostAddress, pages: Int, access: MemoryAccess, limit: Int?, logger: Logger
    ) throws(PinRefusal) {
        let client = caller()
        let limit = limit ?? client.process.memlockPages
        try state.withLock { (state) throws(PinRefusal) in
            let elsewhere = ledger.pages(of: client) - (state.client == client ? state.account.pages : 0)
            _ = try state.account.charge(
                start: start, count: pages, access: access, limit: limit, elsewhere: elsewhere)
            state.client = client
            ledger.add(pages, for: client)
        }
    }

    package func unpin(start: HostAddress, pages: Int, logger: Logger) {
        state.withLock { state in
            state.account.discharge(count: pages)
            if let client = state.client { ledger.add(-pages, for: client) }
            if state.account.pages == 0 { state.client = nil }
        }
    }
}
