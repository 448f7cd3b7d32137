import GuestMemory
import Testing

/// A listener that keeps a copy of the memory map from what it is told alone, and holds the address space to
/// the contract: begin, removes of what is there, then adds where nothing is and keeps of what is, commit.
final class MirrorListener: MemoryListener {
    enum Event: Hashable {
        case begin, commit, refuse
        case remove(String), add(String), keep(String)
    }

    private enum Phase { case idle, removing, adding }

    /// The sections committed so far, by first address.
    private(set) var sections: [GuestPhysicalAddress: MemorySection] = [:]
    private(set) var events: [Event] = []
    /// How many of the next commits to refuse, after letting `refuseAfter` pass.
    var refusals = 0
    var refuseAfter = 0

    private var pending: [GuestPhysicalAddress: MemorySection] = [:]
    private var kept = 0
    private var lastAddress: GuestPhysicalAddress?
    private var phase = Phase.idle

    /// The mirror of the flat view, in order.
    var view: [MemorySection] { sections.values.sorted { $0.range.first < $1.range.first } }

    func forgetEvents() { events = [] }

    func begin() {
        #expect(phase == .idle)
        phase = .removing
        pending = sections
        kept = 0
        lastAddress = nil
        events.append(.begin)
    }

    func remove(_ section: MemorySection) {
        #expect(phase == .removing, "a remove after an add or a keep, or outside a transaction")
        #expect(pending.removeValue(forKey: section.range.first) == section)
        events.append(.remove(section.regionName))
    }

    func add(_ section: MemorySection) {
        present(section)
        #expect(!pending.values.contains { $0.range.overlaps(section.range) }, "added over what is there")
        pending[section.range.first] = section
        events.append(.add(section.regionName))
    }

    func keep(_ section: MemorySection) {
        present(section)
        #expect(pending[section.range.first] == section)
        events.append(.keep(section.regionName))
    }

    private func present(_ section: MemorySection) {
        #expect(phase != .idle)
        phase = .adding
        kept += 1
        #expect(
            lastAddress.map { $0 < section.range.first } ?? true, "sections come in the order of addresses")
        lastAddress = section.range.first
    }

    func commit() throws(MemoryListenerError) {
        #expect(phase != .idle)
        #expect(kept == pending.count, "every section of the new view is added or kept")
        phase = .idle
        if refuseAfter == 0, refusals > 0 {
            refusals -= 1
            events.append(.refuse)
            throw MemoryListenerError(Refusal())
        }
        if refusals > 0 { refuseAfter -= 1 }
        sections = pending
        events.append(.commit)
    }

    struct Refusal: Error, CustomStringConvertible {
        var description: String { "the mirror is full" }
    }
}
