import Testing

@testable import VhostVDPABackend

@Suite("The process that owns a device", .timeLimit(.minutes(15)))
struct OwningProcessTests {
    @Test("is the one that opened it, and not a child of it, which has an address space of its own")
    func child() {
        let owner = OwningProcess()
        // Taken out first: the macro takes no noncopyable value apart.
        let before = owner.isCurrent
        let child = owner.isCurrentInChild()
        let after = owner.isCurrent
        #expect(before && child == false && after)
    }
}
