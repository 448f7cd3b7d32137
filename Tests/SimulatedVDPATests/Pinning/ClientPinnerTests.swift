import Glibc
import GuestMemory
import Logging
import SimulatedVDPA
import SystemPackage
import TestSupport
import Testing

/// vhost-vdpa counts on the account of the owner's address space (`mm->pinned_vm`).
@Suite("The pins of a client, by all of its devices")
struct ClientPinnerTests {
    private static let one = SimulatedCaller.another(in: CallerProcess(thread: getpid()))
    private static let other = SimulatedCaller.another(in: CallerProcess(thread: getpid()))

    private let memory = Memory(pages: 8)
    private let ledger = PinLedger()

    private func pinner(of caller: SimulatedCaller) -> ClientPinner { ClientPinner(ledger) { caller } }

    private func pin(_ pinner: ClientPinner, _ pages: Int, limit: Int = 8) -> PinRefusal? {
        do throws(PinRefusal) {
            try pinner.pin(
                start: HostAddress(rawValue: UInt64(memory.address)), pages: pages, access: .readWrite,
                limit: limit, logger: .quiet)
            return nil
        } catch {
            return error
        }
    }

    private func unpin(_ pinner: ClientPinner, _ pages: Int) {
        pinner.unpin(
            start: HostAddress(rawValue: UInt64(memory.address)), pages: pages, logger: .quiet)
    }

    @Test("count together against its limit, and the refusal says what they are")
    func together() {
        let (first, second) = (pinner(of: Self.one), pinner(of: Self.one))
        #expect(pin(first, 5) == nil)
        #expect(pin(second, 4) == PinRefusal(.noMemory, .limit(pages: 8, pinned: 5, wanted: 4)))
        #expect(pin(second, 3) == nil)
        #expect(pin(first, 1)?.errno == .noMemory)
        #expect(ledger.pages(of: Self.one) == 8 && first.pinnedPages == 5 && second.pinnedPages == 3)
        unpin(first, 2)
        #expect(ledger.pages(of: Self.one) == 6)
        #expect(pin(second, 2) == nil)
    }

    @Test("are not another client's")
    func apart() {
        let (first, second) = (pinner(of: Self.one), pinner(of: Self.other))
        #expect(pin(first, 8) == nil && pin(second, 8) == nil)
        #expect(ledger.pages(of: Self.one) == 8 && ledger.pages(of: Self.other) == 8)
    }

    @Test("are given back to whom they were counted, whoever closes the file")
    func closedByAnother() {
        let current = CurrentClient(Self.one)
        let pinner = ClientPinner(ledger) { current.caller }
        #expect(pin(pinner, 8) == nil)
        current.caller = Self.other
        unpin(pinner, 8)
        #expect(ledger.pages(of: Self.one) == 0 && ledger.pages(of: Self.other) == 0)
        // The next owner begins at none.
        #expect(pin(pinner, 8) == nil && ledger.pages(of: Self.other) == 8)
    }

    @Test("do not count where the memory is not there")
    func refused() {
        let pinner = pinner(of: Self.one)
        memory.forbidPages(from: 4)
        #expect(pin(pinner, 8) == PinRefusal(.badAddress, .memory))
        #expect(ledger.pages(of: Self.one) == 0 && pinner.pinnedPages == 0)
    }

    /// Whose call it is. One thread.
    private final class CurrentClient: @unchecked Sendable {
        var caller: SimulatedCaller
        init(_ caller: SimulatedCaller) { self.caller = caller }
    }
}
