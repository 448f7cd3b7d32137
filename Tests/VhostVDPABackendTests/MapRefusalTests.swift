import GuestMemory
import SystemPackage
import Testing
import VhostVDPA
import VhostVDPABackend

/// What happens when the device refuses a map.
struct MapRefusalTests {
    /// Fails the `number`-th UPDATE from now on, and no other.
    static func failUpdate(_ number: Int, of device: RecordingDevice) {
        var seen = 0
        device.failure = { line in
            guard line.hasPrefix("UPDATE") else { return nil }
            seen += 1
            return seen == number ? .badAddress : nil
        }
    }

    @Test(
        "whichever UPDATE of the first map fails, nothing stays mapped and the device is closed",
        arguments: [
            (MapVerification.never, 1, "ram.low"), (.never, 2, "bios"), (.never, 3, "ram.high"),
            (.always, 1, "ram.low"), (.always, 2, "bios"), (.always, 3, "ram.high"), (.always, 4, "bios"),
        ])
    func firstMap(verification: MapVerification, number: Int, region: String) {
        let device = RecordingDevice()
        Self.failUpdate(number, of: device)
        let addressSpace = FakeAddressSpace()
        let error = #expect(throws: BackendError.self) {
            _ = try Harness(
                device, addressSpace: addressSpace, configuration: .init(mapVerification: verification))
        }
        #expect(error?.code == .mapRefused)
        #expect(error?.errno == .badAddress)
        #expect(error?.message.contains(region) == true)
        #expect(device.table == [])
        #expect(device.deviceTable == [])
        #expect(device.isClosed)
        #expect(addressSpace.listener == nil)
    }

    @Test("whichever message of a change fails, the change is taken back whole", arguments: 1...9)
    func change(number: Int) throws {
        let device = RecordingDevice()
        let harness = try Harness(device)
        try harness.start()
        let before = Set(device.table)
        _ = device.takeTrace()
        let calls = device.callCount
        device.failure = { [unowned device] _ in device.callCount == calls + number ? .badAddress : nil }
        let second = Guest.section(0x2_0000_0000, 0x10000, "dimm1")
        // BEGIN, two INVALIDATEs, three UPDATEs, END: from the eighth call on nothing fails.
        func replace() throws {
            try harness.addressSpace.change(
                removing: [Guest.rom, Guest.lowRAM],
                adding: [Guest.section(0, 0x80000, "ram.low"), Guest.dimm, second], keeping: [Guest.highRAM])
        }
        if number >= 8 {
            try replace()
            #expect(device.table.count == 4)
            #expect(!harness.backend.mapper.hadError)
        } else {
            #expect(throws: MemoryListenerError.self) { try replace() }
            #expect(Set(device.table) == before)
            #expect(Set(device.deviceTable) == before)
            #expect(Set(harness.backend.mappedSections) == Set(Guest.sections))
            #expect(harness.backend.mapper.hadError)
        }
        // A BATCH_END that fails is the one message that may leave a batch open, and it is sent again.
        #expect(!device.isInBatch)
        #expect(harness.backend.mapping == .mapped)
    }

    @Test(
        "no batch is left open by a change that fails, so that the next one reaches the device",
        arguments: [(1, MapVerification.never), (1, .always), (2, .never), (2, .always)])
    func batchIsClosed(number: Int, verification: MapVerification) throws {
        let device = RecordingDevice()
        let harness = try Harness(device, configuration: .init(mapVerification: verification))
        try harness.start()
        Self.failUpdate(number, of: device)
        #expect(throws: MemoryListenerError.self) {
            try harness.addressSpace.change(
                removing: [], adding: [Guest.dimm, Guest.section(0x2_0000_0000, 0x10000, "dimm1")],
                keeping: Guest.sections)
        }
        #expect(!device.isInBatch)
        device.failure = { _ in nil }
        let before = device.deviceTable.count
        try harness.addressSpace.plug(Guest.dimm)
        #expect(device.deviceTable.count > before)
    }

    @Test("a refused UPDATE at address 0 may have emptied the address space: everything is mapped again")
    func wiped() throws {
        let device = RecordingDevice()
        let harness = try Harness(device, addressSpace: FakeAddressSpace([Guest.rom, Guest.highRAM]))
        let before = Set(device.table)
        _ = device.takeTrace()
        Self.failUpdate(1, of: device)
        #expect(throws: MemoryListenerError.self) { try harness.addressSpace.plug(Guest.lowRAM) }
        #expect(
            device.takeTrace() == [
                "BATCH_BEGIN", "UPDATE 0x0-0x9ffff RW", "INVALIDATE all", "UPDATE 0xf0000-0xfffff RO",
                "UPDATE 0x100000-0x7fffff RW", "BATCH_END",
            ])
        #expect(Set(device.deviceTable) == before)
    }

    @Test("after a refused map the next reset empties the whole address space, PERSIST or not")
    func noTrustAfterError() throws {
        let device = RecordingDevice()
        let harness = try Harness(device)
        try harness.start()
        Self.failUpdate(1, of: device)
        #expect(throws: MemoryListenerError.self) { try harness.addressSpace.plug(Guest.dimm) }
        _ = device.takeTrace()
        try harness.backend.stop()
        #expect(harness.backend.lastDecision == .flush(.mapError))
        #expect(device.takeTrace().contains("INVALIDATE all"))
        #expect(device.table == [])
        try harness.start()
        try harness.backend.stop()
        #expect(harness.backend.lastDecision == .keep)
    }

    @Test("a rollback that fails as well is said, and only the whole address space is emptied from then on")
    func failedRollback() throws {
        let device = RecordingDevice()
        let harness = try Harness(device)
        try harness.start()
        var isRefusing = false
        device.failure = { line in
            if line.hasPrefix("UPDATE") { isRefusing = true }
            return isRefusing ? .badAddress : nil
        }
        let error = #expect(throws: MemoryListenerError.self) {
            try harness.addressSpace.change(
                removing: [Guest.rom], adding: [Guest.dimm], keeping: [Guest.lowRAM, Guest.highRAM])
        }
        #expect(error?.description.contains("taking the change back failed") == true)
        device.failure = { _ in nil }
        try harness.backend.stop()
        #expect(device.table == [])
    }

    // MARK: set_map's silence

    @Test("a set_map that fails at BATCH_END goes unnoticed without verification, and is an error with it")
    func silentFailure() throws {
        let device = RecordingDevice()
        device.setMapFails = true
        let harness = try Harness(device)
        #expect(device.table.count == 3)
        #expect(device.deviceTable == [])
        harness.backend.close()

        let verified = RecordingDevice()
        verified.setMapFails = true
        let error = #expect(throws: BackendError.self) {
            _ = try Harness(verified, configuration: .init(mapVerification: .always))
        }
        #expect(error?.message.contains("set_map") == true)
        #expect(verified.table == [])
    }

    @Test("a restart whose set_map fails is an error, and the next one works")
    func silentRestart() throws {
        let device = RecordingDevice()
        let harness = try Harness(device, configuration: .init(persist: .off))
        try harness.start()
        try harness.backend.stop()
        device.setMapFails = true
        #expect(throws: BackendError.self) { try harness.start() }
        #expect((harness.backend.state, harness.backend.mapping) == (.stopped, .unmapped))
        device.setMapFails = false
        try harness.start()
        // Three sections, and the page that the device answered for.
        #expect(device.deviceTable.count == 4)
    }

    @Test("verification holds back a section of one page whole, and takes no message more")
    func verifiedWhole() throws {
        let harness = try Harness(configuration: .init(mapVerification: .always))
        _ = harness.device.takeTrace()
        let page = Guest.section(0x1_0000_0000, 0x1000, "page")
        try harness.addressSpace.change(
            removing: [], adding: [page, Guest.section(0x1_0001_0000, 0x8000, "ram.more")],
            keeping: Guest.sections)
        #expect(
            harness.device.takeTrace() == [
                "BATCH_BEGIN", "UPDATE 0x100010000-0x100017fff RW", "BATCH_END",
                "UPDATE 0x100000000-0x100000fff RW",
            ])
    }

    @Test("verification holds back one page of the smallest section, whichever that is")
    func verifiedSmallest() throws {
        let harness = try Harness(configuration: .init(mapVerification: .always))
        #expect(
            harness.device.takeTrace().suffix(6) == [
                "BATCH_BEGIN", "UPDATE 0x0-0x9ffff RW", "UPDATE 0xf0000-0xfefff RO",
                "UPDATE 0x100000-0x7fffff RW",
                "BATCH_END", "UPDATE 0xff000-0xfffff RO",
            ])
    }

    @Test("verification of one section holds back its last page, and an unmap still takes one message")
    func verifiedPage() throws {
        let harness = try Harness(configuration: .init(mapVerification: .always))
        _ = harness.device.takeTrace()
        try harness.addressSpace.plug(Guest.dimm)
        #expect(
            harness.device.takeTrace() == [
                "BATCH_BEGIN", "UPDATE 0x100000000-0x1007fefff RW", "BATCH_END",
                "UPDATE 0x1007ff000-0x1007fffff RW",
            ])
        let page = try #require(harness.device.table.last)
        #expect(page.host.rawValue == 0x7000_0000_0000 + 0x1_007f_f000)
        try harness.addressSpace.unplug(Guest.dimm)
        #expect(harness.device.takeTrace() == MemoryMapperTests.dimmUnmapped)
        // Three sections, and the page that the device answered for.
        #expect(harness.device.table.count == 4)
    }

    @Test("memory that the same change unmaps is not held back: a live device may be using it")
    func inUseIsNotHeldBack() throws {
        let harness = try Harness(configuration: .init(mapVerification: .always))
        try harness.start()
        _ = harness.device.takeTrace()
        // A hole of one page in the middle of the ROM.
        try harness.addressSpace.change(
            removing: [Guest.rom],
            adding: [
                Guest.section(0xf0000, 0x8000, "bios", isReadOnly: true),
                Guest.section(0xf9000, 0x7000, "bios", isReadOnly: true),
            ], keeping: [Guest.lowRAM, Guest.highRAM])
        #expect(
            harness.device.takeTrace() == [
                "BATCH_BEGIN", "INVALIDATE 0xf0000-0xfffff", "UPDATE 0xf0000-0xf7fff RO",
                "UPDATE 0xf9000-0xfffff RO", "BATCH_END",
            ])
    }

    // MARK: Words

    @Test("a refusal beyond the memlock limit names what is needed, the limit and the command that raises it")
    func memlock() {
        let device = RecordingDevice()
        Self.failUpdate(3, of: device)
        let error = #expect(throws: BackendError.self) {
            _ = try Harness(device, limits: .stub(memlock: .mebibytes(2)))
        }
        let total = 0xa0000 + 0x10000 + 0x70_0000
        #expect(error?.message.contains("ram.high [0x100000, 0x7fffff]") == true)
        #expect(error?.message.contains("\(total) bytes") == true)
        #expect(error?.message.contains("\(2 << 20) bytes") == true)
        #expect(error?.message.contains("ulimit -l \(total >> 10)") == true)
    }

    @Test("a refusal within the memlock limit does not send its reader there")
    func memlockSuffices() {
        let device = RecordingDevice()
        Self.failUpdate(3, of: device)
        let error = #expect(throws: BackendError.self) {
            _ = try Harness(device, limits: .stub(memlock: .mebibytes(64)))
        }
        #expect(error?.message.contains("ulimit") == false)
        #expect(error?.message.contains("suffices") == true)
    }

    @Test("a refusal of more pages than an address space has entries names that limit")
    func entries() {
        let device = RecordingDevice()
        Self.failUpdate(1, of: device)
        let error = #expect(throws: BackendError.self) {
            _ = try Harness(device, addressSpace: FakeAddressSpace([Guest.section(0, 2049 << 12, "ram")]))
        }
        #expect(error?.message.contains("max_iotlb_entries=2049") == true)
    }

    @Test(
        "a refusal of more regions than an address space has entries names that limit first, whatever else is short"
    )
    func regions() {
        let device = RecordingDevice()
        let sections = (0..<2048).map { Guest.section(UInt64($0) << 20, 0x1000, "dimm\($0)") }
        Self.failUpdate(2048, of: device)
        let error = #expect(throws: BackendError.self) {
            _ = try Harness(
                device, addressSpace: FakeAddressSpace(sections + [Guest.section(1 << 40, 0x1000, "last")]),
                limits: .stub(memlock: .mebibytes(2)))
        }
        let message = error?.message ?? ""
        #expect(message.contains("look at: IOTLB entries: the guest's memory takes 2049 maps"), "\(message)")
        #expect(message.contains("fewer regions"))
    }

    @Test(
        "an errno that says what is short is believed",
        arguments: [
            (Errno.noSpace, "IOTLB entries", "ulimit"), (.noMemory, "ulimit -l", "IOTLB entries"),
            (.ioError, "errno 5", "ulimit"),
        ])
    func errno(_ errno: Errno, words: String, others: String) {
        let device = RecordingDevice()
        device.failure = { $0.hasPrefix("UPDATE 0x100000") ? errno : nil }
        let error = #expect(throws: BackendError.self) {
            _ = try Harness(device, limits: .stub(memlock: .mebibytes(2)))
        }
        #expect(error?.message.contains(words) == true, "\(String(describing: error))")
        #expect(error?.message.contains(others) == false, "\(String(describing: error))")
    }

    @Test("a device that gives its reason is quoted, and nothing is guessed")
    func reason() {
        let device = RecordingDevice()
        device.lastRefusal = "the address space has room for six"
        Self.failUpdate(3, of: device)
        let error = #expect(throws: BackendError.self) {
            _ = try Harness(device, limits: .stub(memlock: .mebibytes(2)))
        }
        #expect(error?.message.contains("Bad address (errno 14): the address space has room for six") == true)
        #expect(error?.message.contains("look at") == false)
        #expect(error?.message.contains("ulimit") == false)
    }
}
