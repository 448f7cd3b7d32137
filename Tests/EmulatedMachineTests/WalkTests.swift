import CProfile
import EmulatedMachine
import GuestMemory
import TestSupport
import Testing
import VhostVDPA
import VhostVDPABackend

/// What a map enters on its way to a simulated device's worker; `scripts/test --walks` prints the files.
@Suite(
    "The walk from an UPDATE to the translation table",
    .enabled(if: cprofile_is_wanted(), "measured by scripts/test --walks"), .serialized)
struct WalkTests {
    @Test("of a section that is plugged while the device runs and carries nothing")
    func update() throws {
        let machine = try makeMachine()
        try machine.start()
        let block = try RAMBlock.allocate(name: "walk", byteCount: .mebibytes(8))
        let range = try #require(
            AddressRange(first: GuestPhysicalAddress(rawValue: 1 << 40), byteCount: block.byteCount))
        let section = MemorySection(
            range: range, regionName: "walk", regionOffset: .zero,
            backing: .memory(host: block.hostRange.first), isReadOnly: false)
        let mapper = machine.backend.mapper
        let before = machine.backend.counts
        // The workers sleep again after the start's kicks.
        for worker in ["guest", "vdpa-worker"] {
            try #require(eventually { ThreadStates.areAsleep(named: worker) })
        }

        try #require(cprofile_begin(), "the tests were built without coverage")
        mapper.begin()
        mapper.add(section)
        try mapper.commit()
        #expect(unsafe cprofile_end("update-to-translation-table") == 0)
        // The section, and the page that the device must answer for (MapVerification).
        #expect((machine.backend.counts - before).updates == 2)

        mapper.begin()
        mapper.remove(section)
        try mapper.commit()
    }
}
