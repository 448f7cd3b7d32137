import GuestMemory
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPAConformance
import VirtioDevice

@Suite("Faulty parents")
struct FaultTests {
    @Test(
        "loses-maps: PERSIST is acknowledged, the device is empty after a reset, vhost-vdpa's entries stay",
        arguments: ["sim", "sim,parent=dma-map", "sim,parent=platform", "sim,parent=vendor"])
    func losesMaps(_ specification: String) throws {
        let client = try Client.owned("\(specification),fault=loses-maps")
        #expect(client.call(Request.setBackendFeatures, 0x100) == nil)
        let memory = Memory(pages: 4)
        #expect(client.update(0x100000, memory) == nil)
        #expect(client.deviceMaps.entries.count == 1)
        #expect(client.setStatus(0) == nil)
        #expect(client.deviceMaps.entries.isEmpty)
        #expect(client.dataPath.translation(0).isEmpty)
        #expect(client.vhostEntries.count == 1)
        #expect(client.update(0x100000, memory) == .badAddress)
        // Whoever maps anew around every reset does not depend on the promise.
        #expect(client.send(.invalidate) == nil)
        #expect(client.update(0x100000, memory) == nil)
        #expect(client.dataPath.translation(0).map(\.range) == client.vhostEntries.map(\.range))
    }

    @Test(
        "map-half-way: the third entry is EIO inside and EFAULT outside; entries and pins go back whole",
        arguments: [
            "sim,parent=dma-map,use-va=off,fragment=4K", "sim,parent=vendor,fragment=4K",
        ])
    func mapHalfWay(_ specification: String) throws {
        let client = try Client.owned("\(specification),fault=map-half-way")
        let memory = Memory(pages: 4)
        #expect(client.update(0x100000, memory) == .badAddress)
        let failure = try #require(client.file.mapFailures.last)
        #expect(failure.cause == .ioError)
        #expect(failure.message.size == UInt64(memory.byteCount))
        #expect(failure.message.iova == 0x100000)
        #expect(!failure.isSilent)
        #expect(client.pinner.pinnedPages == 0)
        #expect(client.vhostEntries.isEmpty)
        #expect(client.deviceMaps.entries.isEmpty)
        #expect(client.dataPath.translation(0).isEmpty)
        client.device.simulated?.faults.repair()
        #expect(client.update(0x100000, memory) == nil)
        #expect(client.deviceMaps.entries.count == 4)
    }

    @Test(
        "set-map: BATCH_END succeeds, the device is left empty, and only our log knows",
        arguments: ["", ",parent=vduse"])
    func setMapInBatch(_ parent: String) throws {
        let client = try Client.owned("sim\(parent),fault=set-map")
        let memory = Memory(pages: 4)
        #expect(client.send(.batchBegin) == nil)
        #expect(client.update(0x100000, memory) == nil)
        #expect(client.send(.batchEnd) == nil)
        #expect(client.file.mapFailures.last?.cause == .ioError)
        #expect(client.file.mapFailures.last?.isSilent == true)
        #expect(client.vhostEntries.count == 1)
        #expect(client.deviceMaps.entries.isEmpty)
        // Outside a batch the whole table goes again, and the answer comes back.
        #expect(client.update(0x200000, memory) == .badAddress)
        #expect(client.file.mapFailures.last?.isSilent == false)
        #expect(client.vhostEntries.count == 1)
        client.device.simulated?.faults.repair()
        #expect(client.update(0x200000, memory) == nil)
        #expect(client.deviceMaps.entries.count == 2)
    }

    @Test("set-map: an INVALIDATE succeeds as well, whatever set_map says of the rest; our log has it")
    func setMapAfterInvalidate() throws {
        let client = try Client.owned("sim")
        let memory = Memory(pages: 1)
        for slot in UInt64(0)..<2 { #expect(client.update(slot << 20, memory) == nil) }
        client.device.simulated?.faults.inject(.setMap)
        #expect(client.send(.invalidate, iova: 0, size: 1) == nil)
        #expect(client.vhostEntries.map(\.range.first.rawValue) == [1 << 20])
        #expect(client.deviceMaps.entries.isEmpty)
        let failure = try #require(client.file.mapFailures.last)
        #expect(failure.isSilent && failure.cause == .ioError)
        #expect(failure.message.kind == .invalidate)
    }

    @Test("suspend: EIO, and the device runs on", arguments: ["sim", "sim,parent=platform"])
    func suspend(_ specification: String) throws {
        let client = try Client.owned("\(specification),fault=suspend")
        #expect(client.call(Request.suspend) == nil, "nothing to do before DRIVER_OK")
        try client.start()
        #expect(client.call(Request.suspend) == .ioError)
        #expect(client.dataPath.running == [0, 1])
        #expect(client.setVring(Request.setVringBase, 0, 0) == .invalidArgument, "not suspended")
        #expect(client.setStatus(0) == nil)
        #expect(client.dataPath.running.isEmpty)
    }

    @Test("late: every answer is the right one, after a while", arguments: ["sim", "sim,parent=platform"])
    func late(_ specification: String) throws {
        let client = try Client.owned("\(specification),fault=late")
        let clock = ContinuousClock()
        let mapping = clock.measure { #expect(client.update(0x100000, Memory(pages: 4)) == nil) }
        #expect(mapping >= SimulatedFault.lateness)
        try client.start()
        let suspending = clock.measure { #expect(client.call(Request.suspend) == nil) }
        #expect(suspending >= SimulatedFault.lateness)
        #expect(client.dataPath.running.isEmpty)
        #expect(client.getVring(Request.getVringBase, 0) == .success(0))
        #expect(client.setStatus(0) == nil)
    }

    @Test(
        "dies: NEEDS_RESET and a configuration interrupt at the second start; a reset heals it for good",
        arguments: Specifications.parents)
    func dies(_ specification: String) throws {
        let client = try Client.owned("\(specification),fault=dies")
        let event = try EventCounter()
        #expect(client.call(Request.setConfigCall, [UInt32(bitPattern: event.descriptor.rawValue)]) == nil)
        try client.start()
        #expect(client.status == 0xf)
        #expect(client.setStatus(0) == nil)
        try client.start()
        #expect(client.status == 0x4f)
        #expect(event.take() == 1)
        #expect(client.dataPath.running.isEmpty)
        #expect(client.setVring(Request.setVringEnable, 0, 1) == nil)
        #expect(client.dataPath.running.isEmpty, "an enable does not bring it back to life")
        #expect(client.setStatus(0) == nil)
        #expect(client.status == 0)
        try client.start()
        #expect(client.status == 0xf)
        #expect(client.dataPath.running == [0, 1])
    }
}
