import Glibc
import GuestMemory
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPAConformance

@Suite("What a mapping takes, with causes and entries")
struct MappingRules {
    @Test("55. use_va: a range over several areas maps the shared ones, each on its own", arguments: ["sim"])
    func severalAreas(_ specification: String) throws {
        let client = try Client.owned(specification)
        let page = Memory.pageSize
        let memory = Memory(pages: 6)
        // Another protection makes the kernel split the area in three.
        let middle = unsafe UnsafeMutableRawPointer(bitPattern: memory.address + UInt(2 * page))
        #expect(unsafe mprotect(middle, 2 * page, PROT_READ) == 0)
        #expect(client.update(0x100000, memory) == nil)
        let bounds = client.vhostEntries.map { [$0.range.first.rawValue, $0.host.rawValue] }
        let expected = [0, 2, 4].map { index in
            [0x100000 + UInt64(index * page), UInt64(memory.address) + UInt64(index * page)]
        }
        #expect(bounds == expected)
    }

    @Test("55. use_va: a hole below shared memory is part of its entry, and no worker's")
    func hole() throws {
        let mappings = ProcessMappings(
            areas: [(0x1000, 0x2000), (0x3000, 0x9000)].map { start, end in
                ProcessMapping(start: start, end: end, isReadable: true, isWritable: true, isShared: true)
            })
        let spare = try Client("sim")
        let parent = try #require(spare.device.simulated)
        let client = try Client(parent: parent, mapping: MappingPolicy(entryLimit: nil)) { _ in
            mappings
        }
        #expect(client.call(Request.setOwner) == nil)
        #expect(client.send(.update, iova: 0x100000, size: 0x4000, user: 0x1000) == nil)
        let entries = parent.parentDiagnostics.addressSpaces[0].entries
        #expect(entries.map(\.range.first.rawValue) == [0x100000, 0x101000])
        #expect(entries.map(\.range.last.rawValue) == [0x100fff, 0x103fff])
        #expect(entries.map(\.host.rawValue) == [0x1000, 0x2000])
        // What the device has begins with the area.
        #expect(spare.dataPath.translation(0).map(\.range.first.rawValue) == [0x100000, 0x102000])
        #expect(spare.dataPath.translation(0).map(\.range.last.rawValue) == [0x100fff, 0x103fff])
        // A range that is nothing but a hole is an entry, and the same again is refused.
        for expected in [nil, Errno.badAddress] {
            #expect(client.send(.update, iova: 0x200000, size: 0x1000, user: 0x2000) == expected)
        }
        #expect(parent.parentDiagnostics.addressSpaces[0].entries.count == 3)
        #expect(spare.dataPath.translation(0).count == 2)
        // An address in the hole is one of its entry.
        #expect(client.send(.invalidate, iova: 0x101000, size: 1) == nil)
        #expect(
            parent.parentDiagnostics.addressSpaces[0].entries.map(\.range.first.rawValue)
                == [0x100000, 0x200000])
    }

    @Test("56. use_va: above the last area is EINVAL, also below the page of vsyscalls, which is none")
    func aboveAllMemory() throws {
        let client = try Client.owned("sim")
        #expect(
            client.send(.update, iova: 0x100000, size: 0x1000, user: 0xffff_ffff_ff50_0000) == .badAddress)
        #expect(client.file.mapFailures.last?.cause == .invalidArgument)
    }

    @Test("Whether areas cover a range, with every byte asked for")
    func coverage() {
        func area(_ start: UInt64, _ end: UInt64, writable: Bool = true) -> ProcessMapping {
            ProcessMapping(start: start, end: end, isReadable: true, isWritable: writable, isShared: true)
        }
        let mappings = ProcessMappings(
            areas: [area(10, 20), area(20, 30, writable: false), area(40, 50)])
        #expect(mappings.covers(from: 10, upTo: 30) { $0.isReadable })
        #expect(mappings.covers(from: 12, upTo: 20) { $0.isWritable })
        #expect(!mappings.covers(from: 12, upTo: 21) { $0.isWritable })
        #expect(!mappings.covers(from: 25, upTo: 45) { $0.isReadable })
        #expect(!mappings.covers(from: 9, upTo: 11) { $0.isReadable })
        #expect(!mappings.covers(from: 45, upTo: 51) { $0.isReadable })
        #expect(mappings.firstArea(endingAbove: 30)?.start == 40)
        #expect(mappings.firstArea(endingAbove: 50) == nil)
    }

    @Test(
        "use_va: an entry allows no more than the memory does, so that a device access faults",
        arguments: Specifications.setMap)
    func readOnlySharedMemory(_ specification: String) throws {
        let client = try Client.owned(specification)
        #expect(client.update(0x100000, Memory(pages: 1, protection: PROT_READ), permission: 3) == nil)
        #expect(client.update(0x200000, Memory(pages: 1, protection: PROT_NONE), permission: 3) == nil)
        #expect(client.update(0x300000, Memory(pages: 1), permission: 1) == nil)
        #expect(client.dataPath.translation(0).map(\.access) == [.read, [], .read])
    }

    @Test(
        "57. Pinned: one page over RLIMIT_MEMLOCK is EFAULT and pins nothing",
        arguments: Specifications.pinned)
    func memlock(_ specification: String) throws {
        let client = try Client.owned(specification, memlock: 8)
        let memory = Memory(pages: 9)
        #expect(client.update(0x100000, memory) == .badAddress)
        #expect(client.file.mapFailures.last?.cause == .noMemory)
        #expect(client.pinner.pinnedPages == 0)
        let page = UInt64(Memory.pageSize)
        #expect(client.send(.update, iova: 0, size: 8 * page, user: memory.address) == nil)
        #expect(client.send(.update, iova: 8 * page, size: page, user: memory.address) == .badAddress)
        #expect(client.pinner.pinnedPages == 8)
    }

    @Test(
        "57. Pinned: nearly every address is over any limit; one page more than 64 bits count is EINVAL",
        arguments: Specifications.pinned + ["sim,use-va=off,fragment=8K"])
    func everyAddress(_ specification: String) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 1)
        let largest = 0 &- UInt64(Memory.pageSize)
        for (size, cause) in [(largest, Errno.noMemory), (largest + 1, .invalidArgument)] {
            #expect(client.send(.update, iova: 0, size: size, user: memory.address) == .badAddress)
            #expect(client.file.mapFailures.last?.cause == cause)
        }
        #expect(client.pinner.pinnedPages == 0)
    }

    @Test("57. The limit is RLIMIT_MEMLOCK in pages")
    func realLimit() {
        var limit = rlimit()
        #expect(unsafe getrlimit(__rlimit_resource_t(8), &limit) == 0)
        #expect(AccountingPinner.memlockPages() == Int(clamping: limit.rlim_cur / UInt(Memory.pageSize)))
    }

    @Test("58. An unaligned size pins the pages it touches", arguments: ["sim,use-va=off"])
    func partialPages(_ specification: String) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 2)
        let size = UInt64(Memory.pageSize) + 1
        #expect(client.send(.update, iova: 0x100000, size: size, user: memory.address) == nil)
        #expect(client.pinner.pinnedPages == 2)
        #expect(client.vhostEntries.first?.range.byteCount == ByteCount(memory.byteCount))
    }

    @Test(
        "61. The entry after the limit of a space is EFAULT: 2049, or what entries= says; 6.1 has no limit",
        arguments: [
            ("sim", 2048, .badAddress), ("sim,entries=5", 5, .badAddress), ("sim,kernel=6.1", 100, nil),
        ]
            as [(String, UInt64, Errno?)])
    func entryLimit(_ specification: String, _ count: UInt64, _ expected: Errno?) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 1)
        #expect(client.send(.batchBegin) == nil)
        for slot in 0..<count where client.update(slot << 20, memory) != nil {
            Issue.record("entry \(slot) was refused")
        }
        #expect(client.update(count << 20, memory) == expected)
        if expected != nil { #expect(client.file.mapFailures.last?.cause == .noSpace) }
        #expect(client.vhostEntries.count == Int(count) + (expected == nil ? 1 : 0))
    }

    @Test(
        "Fragments: one entry per physically contiguous run, set_map for each",
        arguments: ["sim,use-va=off,fragment=8K"])
    func fragments(_ specification: String) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 5)
        client.dataPath.forgetCalls()
        #expect(client.update(0x100000, memory) == nil)
        #expect(client.vhostEntries.map { $0.range.byteCount?.rawValue } == [8192, 8192, 4096])
        #expect(client.dataPath.calls.count == 3)
        #expect(client.pinner.pinnedPages == 5)
    }

    @Test(
        "Fragments: a failure half way takes everything back",
        arguments: ["sim,use-va=off,fragment=4K,entries=3"])
    func failureHalfWay(_ specification: String) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 5)
        #expect(client.update(0x100000, memory) == .badAddress)
        #expect(client.file.mapFailures.last?.cause == .noSpace)
        #expect(client.pinner.pinnedPages == 0)
        #expect(client.vhostEntries.isEmpty)
        #expect(client.deviceMaps.entries.isEmpty)
    }
}
