import Glibc
import GuestMemory
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPAConformance
import VirtioDevice

@Suite("IOTLB messages, with causes and tables")
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
        let parent = try SimulatedParent(
            kind: NetworkCard(), behaviour: ParentBehaviour(SimulatedDeviceSpecification(entryLimit: 1)),
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

    @Test(
        "39. write() from an address that no process has is EFAULT, however short; from one without memory EINVAL",
        arguments: [
            (0xffff_8880_0000_0000, 72, .badAddress), (0xffff_8880_0000_0000, 3, .badAddress),
            (0xffff_8880_0000_0000, 0, .badAddress), (1 << 56 - 4096 - 71, 72, .badAddress),
            (1 << 56 - 4096 - 72, 72, .invalidArgument), (16, 72, .invalidArgument),
        ] as [(UInt, Int, Errno)])
    func addressOfNoProcess(_ address: UInt, _ count: Int, _ expected: Errno) throws {
        let client = try Client.owned("sim")
        #expect(throws: expected) {
            try unsafe client.file.write(
                UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: address), count: count))
        }
    }
}
