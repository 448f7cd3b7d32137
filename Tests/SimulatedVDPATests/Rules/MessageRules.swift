import Glibc
import GuestMemory
import SimulatedVDPA
import SystemPackage
import Testing

@Suite("Rules 39 to 54: IOTLB messages and batches")
struct MessageRules {
    @Test(
        "39. 3 bytes and outer type 7 are EINVAL; a 40-byte UPDATE answers 72", arguments: Specifications.all)
    func messageLength(_ specification: String) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 1)
        let size = UInt64(memory.byteCount)
        #expect(client.write([2, 0, 0]) == .failure(.invalidArgument))
        #expect(client.write([]) == .failure(.invalidArgument))
        let update = Client.message(2, iova: 0x1000, size: size, user: memory.address)
        #expect(client.write(Array(update.dropLast())) == .failure(.invalidArgument))
        #expect(client.write(Client.message(2, size: size, outer: 7)) == .failure(.invalidArgument))
        #expect(update.count == 40)
        #expect(client.write(update) == .success(72))
        #expect(client.write(Client.message(3, iova: 0x1000, size: size) + [1, 2, 3]) == .success(72))
    }

    @Test("39. An unreadable message is EINVAL", arguments: Specifications.all)
    func unreadableMessage(_ specification: String) throws {
        let client = try Client.owned(specification)
        let guarded = Memory(pages: 1, protection: PROT_NONE)
        let pointer = unsafe UnsafeRawPointer(bitPattern: guarded.address)
        #expect(throws: Errno.invalidArgument) {
            try unsafe client.file.write(UnsafeRawBufferPointer(start: pointer, count: 72))
        }
    }

    @Test("39. Version 1 messages mean address space 0", arguments: Specifications.all)
    func versionOne(_ specification: String) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 1)
        #expect(client.call(Request.setBackendFeatures, 1 << 3) == nil)
        let message = Client.message(
            2, iova: 0x1000, size: UInt64(memory.byteCount), user: memory.address, asid: 1, outer: 1)
        #expect(client.write(message) == .success(72))
        #expect(client.vhostEntries.count == 1)
    }

    @Test("40. UPDATE of size 0 is EINVAL, owner or not", arguments: Specifications.all)
    func updateOfNothing(_ specification: String) throws {
        let client = try Client(specification)
        #expect(client.send(.update, iova: 0x1000) == .invalidArgument)
        #expect(client.call(Request.setOwner) == nil)
        #expect(client.send(.update, iova: 0x1000) == .invalidArgument)
    }

    @Test(
        "41. MISS, ACCESS_FAIL, 0 and 7 are EFAULT", arguments: Specifications.all, [0, 1, 4, 7] as [UInt8])
    func unknownTypes(_ specification: String, _ kind: UInt8) throws {
        let client = try Client.owned(specification)
        #expect(client.send(.batchBegin) == nil)
        #expect(client.write(Client.message(kind)) == .failure(.badAddress))
        #expect(client.file.mapFailures.last?.cause == .invalidArgument)
    }

    @Test("42. INVALIDATE and BATCH_END on a space nobody made are EFAULT", arguments: Specifications.all)
    func missingSpace(_ specification: String) throws {
        let client = try Client.owned(specification)
        #expect(client.send(.invalidate, iova: 0x1000, size: 0x1000) == .badAddress)
        #expect(client.send(.batchEnd) == .badAddress)
    }

    @Test("43. BATCH_END without BEGIN on an existing space succeeds", arguments: Specifications.all)
    func endWithoutBegin(_ specification: String) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 1)
        #expect(client.update(0x1000, memory) == nil)
        #expect(client.send(.batchEnd) == nil)
        #expect(client.deviceMaps.entries == client.vhostEntries)
    }

    @Test("44. The same UPDATE twice: the second is EFAULT, the first stays", arguments: Specifications.all)
    func updateTwice(_ specification: String) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 4)
        #expect(client.update(0x10000, memory) == nil)
        #expect(client.update(0x10000, memory) == .badAddress)
        #expect(client.file.mapFailures.last?.cause == .fileExists)
        #expect(client.dataPath.translation(0).first?.host.rawValue == UInt64(memory.address))
        #expect(client.deviceMaps.entries == client.vhostEntries)
        #expect(client.vhostEntries.count == 1)
    }

    @Test("45. An UPDATE overlapping by one byte is EFAULT", arguments: Specifications.setMap)
    func overlapByOneByte(_ specification: String) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 2)
        let page = UInt64(Memory.pageSize)
        #expect(client.send(.update, iova: page, size: page, user: memory.address) == nil)
        let low = client.send(.update, iova: 2 * page - 1, size: page, user: memory.address)
        #expect(low == .badAddress)
        #expect(client.send(.update, iova: 1, size: page, user: memory.address) == .badAddress)
        #expect(client.send(.update, iova: 2 * page, size: page, user: memory.address) == nil)
        #expect(client.send(.update, iova: 0, size: page, user: memory.address) == nil)
        #expect(client.vhostEntries.count == 3)
    }

    @Test(
        "46. An UPDATE that wraps is EFAULT; one that ends at the last byte is not",
        arguments: Specifications.setMap)
    func wrappingUpdate(_ specification: String) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 2)
        let page = UInt64(Memory.pageSize)
        let last = 0 &- page
        #expect(client.send(.update, iova: last, size: 2 * page, user: memory.address) == .badAddress)
        #expect(client.file.mapFailures.last?.cause == .invalidArgument)
        #expect(client.send(.update, iova: last, size: page, user: memory.address) == nil)
    }

    @Test("47. INVALIDATE of one page of four removes the whole entry", arguments: Specifications.all)
    func invalidatePart(_ specification: String) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 4)
        let page = UInt64(Memory.pageSize)
        #expect(client.update(0x10000, memory) == nil)
        #expect(client.update(0x100000, memory) == nil)
        #expect(client.send(.invalidate, iova: 0x10000 + page, size: page) == nil)
        #expect(client.vhostEntries.map(\.range.first.rawValue) == [0x100000])
        #expect(client.deviceMaps.entries == client.vhostEntries)
    }

    @Test("48. INVALIDATE of an unmapped range succeeds", arguments: Specifications.all)
    func invalidateNothing(_ specification: String) throws {
        let client = try Client.owned(specification)
        #expect(client.update(0x10000, Memory(pages: 1)) == nil)
        #expect(client.send(.invalidate, iova: 0x900000, size: 0x1000) == nil)
        #expect(client.vhostEntries.count == 1)
    }

    @Test("49. INVALIDATE(0, 0) empties the space", arguments: Specifications.all)
    func invalidateEverything(_ specification: String) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 1)
        for slot in UInt64(0)..<5 { #expect(client.update(slot << 20, memory) == nil) }
        #expect(client.send(.invalidate) == nil)
        #expect(client.vhostEntries.isEmpty)
        #expect(client.deviceMaps == .init(entries: [], isIdentity: false))
    }

    @Test(
        "50. Address space 2 is EFAULT with ASID acknowledged; ignored without", arguments: Specifications.all
    )
    func addressSpaceNumber(_ specification: String) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 1)
        #expect(client.update(0x1000, memory, asid: 2) == nil)
        #expect(client.vhostEntries.count == 1)
        #expect(client.call(Request.setBackendFeatures, 1 << 3) == nil)
        #expect(client.update(0x100000, memory, asid: 2) == .badAddress)
        #expect(client.update(0x100000, memory, asid: 1) == nil)
        #expect(client.device.diagnostics.vhostEntries[1]?.count == 1)
        #expect(client.device.diagnostics.device.addressSpaces[1].entries.count == 1)
    }

    @Test("51. A batch on space 0 refuses space 1, which exists from then on", arguments: Specifications.all)
    func otherSpaceInBatch(_ specification: String) throws {
        let client = try Client.owned(specification)
        #expect(client.call(Request.setBackendFeatures, 1 << 3) == nil)
        #expect(client.send(.batchBegin) == nil)
        #expect(client.update(0x1000, Memory(pages: 1), asid: 1) == .badAddress)
        #expect(client.send(.batchEnd) == nil)
        #expect(client.send(.invalidate, iova: 0x1000, size: 0x1000, asid: 1) == nil)
    }

    @Test("52. An UPDATE in a batch reaches a set_map device at END", arguments: Specifications.setMap)
    func batchDefersSetMap(_ specification: String) throws {
        let client = try Client.owned(specification)
        #expect(client.send(.batchBegin) == nil)
        #expect(client.update(0x10000, Memory(pages: 1)) == nil)
        #expect(client.deviceMaps.entries.isEmpty)
        #expect(client.dataPath.translation(0).isEmpty)
        #expect(client.send(.batchEnd) == nil)
        #expect(client.deviceMaps.entries == client.vhostEntries)
        #expect(client.dataPath.translation(1).count == 1)
    }

    @Test("52. An UPDATE in a batch reaches a dma_map device at once")
    func batchDoesNotDeferDMAMap() throws {
        let client = try Client.owned("sim,parent=dma-map")
        #expect(client.send(.batchBegin) == nil)
        #expect(client.update(0x10000, Memory(pages: 1)) == nil)
        #expect(client.deviceMaps.entries.count == 1)
        #expect(client.dataPath.translation(0).count == 1)
    }

    @Test("52. A batch of many updates gives the device one table", arguments: Specifications.setMap)
    func oneTablePerBatch(_ specification: String) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 1)
        client.dataPath.forgetCalls()
        #expect(client.send(.batchBegin) == nil)
        for slot in UInt64(0)..<100 { #expect(client.update(slot << 20, memory) == nil) }
        #expect(client.send(.batchEnd) == nil)
        #expect(client.dataPath.calls.count == 1)
        #expect(client.deviceMaps.entries.count == 100)
    }

    @Test("53. A status reset does not end a batch", arguments: Specifications.setMap)
    func resetInBatch(_ specification: String) throws {
        let client = try Client.owned(specification)
        #expect(client.send(.batchBegin) == nil)
        #expect(client.setStatus(0) == nil)
        #expect(client.update(0x10000, Memory(pages: 1)) == nil)
        #expect(client.deviceMaps.entries.isEmpty)
        #expect(client.send(.batchEnd) == nil)
        #expect(client.deviceMaps.entries.count == 1)
    }

    @Test("53. A close ends a batch", arguments: Specifications.setMap)
    func closeInBatch(_ specification: String) throws {
        let client = try Client.owned(specification)
        #expect(client.send(.batchBegin) == nil)
        try client.reopen()
        #expect(client.call(Request.setOwner) == nil)
        #expect(client.update(0x10000, Memory(pages: 1)) == nil)
        #expect(client.deviceMaps.entries.count == 1)
    }

    @Test("54. An empty batch ends the identity and leaves no map", arguments: ["sim", "sim,kernel=7.2"])
    func emptyBatch(_ specification: String) throws {
        let client = try Client.owned(specification)
        #expect(client.deviceMaps == .init(entries: [], isIdentity: true))
        #expect(client.send(.batchBegin) == nil)
        #expect(client.deviceMaps.isIdentity)
        #expect(client.send(.batchEnd) == nil)
        #expect(client.deviceMaps == .init(entries: [], isIdentity: false))
    }

    @Test("A batch whose set_map fails answers success, empties the device and keeps vhost's entries")
    func silentBatchFailure() throws {
        let parent = try NetworkParent(
            profile: .standard(), behaviour: ParentBehaviour(SimulatedDeviceSpecification(entryLimit: 1)),
            makeDataPath: DataPathFactory { _, events in RecordingDataPath(report: events) })
        let client = try Client(parent: parent, mapping: MappingPolicy(entryLimit: nil))
        #expect(client.call(Request.setOwner) == nil)
        let memory = Memory(pages: 1)
        #expect(client.send(.batchBegin) == nil)
        #expect(client.update(1 << 20, memory) == nil)
        #expect(client.update(2 << 20, memory) == nil)
        #expect(client.send(.batchEnd) == nil)
        #expect(parent.parentDiagnostics.addressSpaces[0] == .init(entries: [], isIdentity: false))
        #expect(client.file.mapFailures.map(\.cause) == [.noSpace])
        #expect(client.file.mapFailures.map(\.isSilent) == [true])
        // Outside a batch set_map answers, so the trouble is noticed, and this entry is taken back.
        #expect(client.update(3 << 20, memory) == .badAddress)
        #expect(client.send(.invalidate, iova: 2 << 20, size: 1) == nil)
        #expect(parent.parentDiagnostics.addressSpaces[0].entries.map(\.range.first.rawValue) == [1 << 20])
    }
}
