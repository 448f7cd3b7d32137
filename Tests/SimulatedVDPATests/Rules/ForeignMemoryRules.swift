import CLinux
import Glibc
import GuestMemory
import SimulatedVDPA
import SystemPackage
import TestSupport
import Testing
import VhostVDPA
import VhostVDPAConformance

/// This process plays the other one: nothing of a caller's is used as if it were the simulation's own.
@Suite("The memory of a client that is another process")
struct ForeignMemoryRules {
    private static let iova: UInt64 = 0x10_0000
    private static let page = Memory.pageSize

    /// A client of `specification` that is another process, and owns the device.
    private static func foreign(_ specification: String) throws -> Client {
        let client = try Client(specification)
        client.file.caller = .another(in: CallerProcess(thread: getpid()))
        try client.expectSuccess(client.call(Request.setOwner))
        return client
    }

    /// Where the worker has the byte at `offset` of the map.
    private static func host(_ client: Client, _ offset: Int = 0) -> UnsafeMutablePointer<UInt8>? {
        for entry in client.dataPath.translation(0) {
            let distance = iova + UInt64(offset) &- entry.range.first.rawValue
            guard distance <= entry.range.last.rawValue - entry.range.first.rawValue else { continue }
            return unsafe UnsafeMutablePointer(bitPattern: UInt(entry.host.rawValue + distance))
        }
        return nil
    }

    // MARK: Files that shrink

    @Test(
        "A page behind the end of its file cannot be pinned: EFAULT, and nothing of the map stands",
        arguments: Specifications.pinned)
    func beyondEnd(_ specification: String) throws {
        let client = try Self.foreign(specification)
        let file = try File(pages: 4)
        file.truncate(pages: 3)
        #expect(client.update(Self.iova, file.address, pages: 4) == .badAddress)
        #expect(client.vhostEntries.isEmpty && client.pinner.pinnedPages == 0)
        #expect(client.device.diagnostics.mapFailures.last?.cause == .badAddress)
        #expect(client.update(Self.iova, file.address, pages: 3) == nil)
        #expect(client.pinner.pinnedPages == 3)
    }

    @Test("Where nothing is pinned the map stands", arguments: Specifications.setMap)
    func beyondEndUnpinned(_ specification: String) throws {
        let client = try Self.foreign(specification)
        let file = try File(pages: 4)
        file.truncate(pages: 3)
        #expect(client.update(Self.iova, file.address, pages: 4) == nil)
    }

    @Test(
        "A pin makes its pages: a file without any has them afterwards", arguments: Specifications.pinned)
    func allocation(_ specification: String) throws {
        let client = try Self.foreign(specification)
        let file = try File(pages: 4)
        #expect(file.allocatedPages == 0)
        #expect(client.update(Self.iova, file.address, pages: 4) == nil)
        #expect(file.allocatedPages == 4)
    }

    @Test("Where nothing is pinned no page is made", arguments: Specifications.setMap)
    func noAllocation(_ specification: String) throws {
        let client = try Self.foreign(specification)
        let file = try File(pages: 4)
        #expect(client.update(Self.iova, file.address, pages: 4) == nil)
        #expect(file.allocatedPages == 0)
    }

    @Test(
        "A page that is truncated under a live device is an empty one there; one fault, where nothing is pinned",
        arguments: [("sim", 1), ("sim,parent=dma-map", 1), ("sim,use-va=off", 0)])
    func truncated(_ specification: String, faults: Int) throws {
        VanishedPages.handle()
        let client = try Self.foreign(specification)
        let faults = client.device.specification?.usesVirtualAddresses == true ? faults : 0
        let file = try File(pages: 2)
        unsafe file.start[0] = 7
        unsafe file.start[Self.page] = 8
        #expect(client.update(Self.iova, file.address, pages: 2) == nil)
        let (first, second) = unsafe (
            try #require(Self.host(client)), try #require(Self.host(client, Self.page))
        )
        #expect(unsafe first.pointee == 7 && second.pointee == 8)
        file.truncate(pages: 1)
        #expect(unsafe second.pointee == 0)
        unsafe second.pointee = 9
        #expect(unsafe second.pointee == 9 && first.pointee == 7)
        #expect(client.device.faultCount == faults)
        // A page that comes back to the file is not the one that the device has.
        file.truncate(pages: 2)
        #expect(unsafe file.start[Self.page] == 0)
        #expect(client.send(.invalidate, iova: Self.iova, size: UInt64(2 * Self.page)) == nil)
        #expect(client.device.faultCount == faults)
    }

    @Test(
        "What is in no window of a device ends the process as it would have",
        .enabled(if: Sanitizer.current == nil, "a sanitizer's own handler ends the process with a report"))
    func otherFault() async {
        await #expect(processExitsWith: .signal(SIGBUS)) {
            VanishedPages.handle()
            let file = try File(pages: 1)
            file.truncate(pages: 0)
            unsafe file.start[0] = 1
        }
    }

    @Test(
        "SIGBUS that somebody sends goes to who had it before, and ends the process where nobody did",
        .enabled(if: Sanitizer.current == nil, "a sanitizer's own handler ends the process with a report"))
    func sentSignal() async {
        await #expect(processExitsWith: .signal(SIGBUS)) {
            VanishedPages.handle()
            raise(SIGBUS)
        }
        await #expect(processExitsWith: .exitCode(5)) {
            signal(SIGBUS) { _ in _exit(5) }
            VanishedPages.handle()
            raise(SIGBUS)
        }
        // Who ignores it goes on ignoring it.
        await #expect(processExitsWith: .exitCode(6)) {
            signal(SIGBUS, SIG_IGN)
            VanishedPages.handle()
            raise(SIGBUS)
            _exit(6)
        }
    }

    // MARK: Memory that cannot be mapped a second time

    @Test(
        "Private memory is pinned, and copied: the worker's addresses stand for the client's",
        arguments: Specifications.pinned)
    func privateMemory(_ specification: String) throws {
        let client = try Self.foreign(specification)
        let memory = Memory(pages: 2, kind: .privateAnonymous)
        #expect(client.update(Self.iova, memory) == nil)
        #expect(client.pinner.pinnedPages == 2)
        let host = unsafe try #require(Self.host(client, Self.page))
        let here = HostAddress(rawValue: UInt64(UInt(bitPattern: host)))
        let copies = CopiedMemory.behind(client.dataPath.translation(0))
        try #require(copies.count == 1)
        #expect(
            copies[0].place(of: here)
                == MemoryPlace(process: getpid(), address: UInt64(memory.address) + UInt64(Self.page)))
        #expect(!copies[0].isGone)
    }

    @Test(
        "Private memory where nothing is pinned is no entry, and the worker does not have it",
        arguments: Specifications.setMap)
    func privateVirtual(_ specification: String) throws {
        let client = try Self.foreign(specification)
        let memory = Memory(pages: 2, kind: .privateAnonymous)
        #expect(client.update(Self.iova, memory) == nil)
        #expect(client.vhostEntries.isEmpty && client.dataPath.translation(0).isEmpty)
    }

    @Test(
        "Shared memory whose file nobody can open is within reach, on every kind",
        arguments: ["sim", "sim,use-va=off", "sim,parent=dma-map"])
    func closedFile(_ specification: String) throws {
        let client = try Self.foreign(specification)
        let memory = Memory(pages: 1)
        let address = unsafe UnsafeMutablePointer<UInt8>(bitPattern: memory.address)
        unsafe address?.pointee = 5
        #expect(client.update(Self.iova, memory) == nil)
        let host = unsafe try #require(Self.host(client))
        let here = HostAddress(rawValue: UInt64(UInt(bitPattern: host)))
        let copies = CopiedMemory.behind(client.dataPath.translation(0))
        // Root has /proc/PID/map_files, and a second mapping.
        #expect(copies.isEmpty == (geteuid() == 0))
        if let copy = copies.first {
            #expect(copy.place(of: here)?.address == UInt64(memory.address))
        } else {
            #expect(unsafe host.pointee == 5)
        }
    }

    @Test("The memory goes with the map", arguments: Specifications.pinned)
    func release(_ specification: String) throws {
        let client = try Self.foreign(specification)
        let memory = Memory(pages: 2, kind: .privateAnonymous)
        #expect(client.update(Self.iova, memory) == nil)
        let entries = client.dataPath.translation(0)
        #expect(CopiedMemory.behind(entries).count == 1)
        #expect(client.send(.invalidate, iova: Self.iova, size: UInt64(memory.byteCount)) == nil)
        #expect(CopiedMemory.behind(entries).isEmpty)
    }

    /// A memfd that stays open, mapped once.
    @safe
    final class File {
        let start: UnsafeMutablePointer<UInt8>
        private let byteCount: Int
        private let number: Int32

        init(pages: Int) throws {
            number = unsafe clinux_memfd_create("shrinks", clinux_mfd_cloexec)
            byteCount = pages * Memory.pageSize
            try #require(clinux_set_file_size(number, UInt64(byteCount)) == 0)
            let made = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0)
            unsafe start = try #require(made).assumingMemoryBound(to: UInt8.self)
        }

        deinit {
            unsafe munmap(start, byteCount)
            close(number)
        }

        var address: UInt { UInt(bitPattern: unsafe start) }
        var allocatedPages: Int { Int(clinux_allocated_bytes(number)) / Memory.pageSize }
        func truncate(pages: Int) { ftruncate(number, pages * Memory.pageSize) }
    }
}

extension Client {
    /// Maps `pages` pages of the caller's at `iova`.
    fileprivate func update(_ iova: UInt64, _ address: UInt, pages: Int) -> Errno? {
        send(.update, iova: iova, size: UInt64(pages * Memory.pageSize), user: address)
    }
}
