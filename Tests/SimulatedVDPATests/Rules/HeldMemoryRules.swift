import CLinux
import Glibc
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPAConformance

/// Whether anybody still holds a file's pages is the kernel's to say: it seals a memfd against writing only when no
/// writable mapping of it is left.
@Suite("How long a device holds memory that its owner has unmapped")
struct HeldMemoryRules {
    private static let iova: UInt64 = 0x10_0000
    private static let page = UInt64(Memory.pageSize)

    @Test("Until INVALIDATE, and not longer", arguments: Specifications.parents + Specifications.pinned)
    func invalidate(_ specification: String) throws {
        let client = try Client.owned(specification)
        let file = try MemoryFile(pages: 4)
        #expect(client.send(.update, iova: Self.iova, size: 4 * Self.page, user: file.address) == nil)
        file.unmap()
        #expect(file.isHeld)
        #expect(client.send(.invalidate, iova: Self.iova, size: 4 * Self.page) == nil)
        #expect(!file.isHeld)
    }

    @Test(
        "Until the close; until the next set_map where the parent keeps its table",
        arguments: Specifications.parents)
    func close(_ specification: String) throws {
        let client = try Client.owned(specification)
        let file = try MemoryFile(pages: 1)
        #expect(client.send(.update, iova: Self.iova, size: Self.page, user: file.address) == nil)
        file.unmap()
        try client.reopen()
        #expect(file.isHeld == !client.deviceMaps.entries.isEmpty)
        #expect(client.call(Request.setOwner) == nil)
        #expect(client.update(Self.iova, Memory(pages: 1)) == nil)
        #expect(!file.isHeld)
    }

    @Test(
        "In a batch, until its end, where the device has the old table until then",
        arguments: Specifications.setMap)
    func batch(_ specification: String) throws {
        let client = try Client.owned(specification)
        let file = try MemoryFile(pages: 1)
        #expect(client.send(.update, iova: Self.iova, size: Self.page, user: file.address) == nil)
        file.unmap()
        #expect(client.send(.batchBegin) == nil)
        #expect(client.send(.invalidate, iova: Self.iova, size: Self.page) == nil)
        #expect(file.isHeld)
        #expect(client.send(.batchEnd) == nil)
        #expect(!file.isHeld)
    }

    @Test("A page that two entries name, until the last of them goes", arguments: Specifications.parents)
    func twice(_ specification: String) throws {
        let client = try Client.owned(specification)
        let file = try MemoryFile(pages: 1)
        for iova in [Self.iova, 2 * Self.iova] {
            #expect(client.send(.update, iova: iova, size: Self.page, user: file.address) == nil)
        }
        file.unmap()
        #expect(client.send(.invalidate, iova: Self.iova, size: Self.page) == nil)
        #expect(file.isHeld)
        #expect(client.send(.invalidate, iova: 2 * Self.iova, size: Self.page) == nil)
        #expect(!file.isHeld)
    }

    @Test(
        "Not at all where the UPDATE is refused",
        arguments: ["sim,entries=1", "sim,parent=dma-map,entries=1"])
    func refused(_ specification: String) throws {
        let client = try Client.owned(specification)
        let file = try MemoryFile(pages: 1)
        #expect(client.update(2 * Self.iova, Memory(pages: 1)) == nil)
        #expect(client.send(.update, iova: Self.iova, size: Self.page, user: file.address) == .badAddress)
        file.unmap()
        #expect(!file.isHeld)
    }

    /// A memfd, mapped once.
    final class MemoryFile {
        let address: UInt
        private let byteCount: Int
        private let file: FileDescriptor

        init(pages: Int) throws {
            let number = unsafe clinux_memfd_create("held", clinux_mfd_cloexec | clinux_mfd_allow_sealing)
            file = FileDescriptor(rawValue: number)
            byteCount = pages * Memory.pageSize
            try #require(clinux_set_file_size(number, UInt64(byteCount)) == 0)
            let start = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0)
            address = UInt(bitPattern: start)
        }

        deinit { try? file.close() }

        func unmap() { unsafe munmap(UnsafeMutableRawPointer(bitPattern: address), byteCount) }

        /// Somebody else has it mapped. It can be asked until the answer is no: the seal stays.
        var isHeld: Bool { clinux_add_seals(file.rawValue, 0x8) != 0 }  // F_SEAL_WRITE
    }
}
