import CLinux
import GuestMemory
import LinuxHost
import SystemPackage
import TestSupport
import Testing
import VirtQueue
import Virtio
import VirtioNet

@testable import VDUSE

/// The driver's memory stays mapped until the worker has let go of it.
@Suite struct MemoryLifetimeTests {
    private static let everything = AddressRange<IOVirtualAddress>(
        first: 0, last: IOVirtualAddress(rawValue: .max))

    private let device: ServedDevice
    private let dataPath = WatchedDataPath()

    init() throws {
        device = try ServedDevice()
        device.enableQueues()
    }

    /// A service whose queue 1 runs.
    private func runningService() throws -> VDUSEService<KernelDouble> {
        var service = try device.makeService(dataPath)
        try device.start(&service)
        device.kernel.kick(1)
        _ = try service.step(until: device.interrupt.descriptor, milliseconds: 0)
        #expect(device.kernel.mapped.count == 1)
        return service
    }

    /// The fewest regions that are mapped at any visit of the worker's from now on.
    private func watchMapped() -> Fewest {
        let (kernel, fewest) = (device.kernel, Fewest())
        dataPath.watch = { _ in fewest.note(kernel.mapped.count) }
        return fewest
    }

    private final class Fewest {
        var count = Int.max
        func note(_ new: Int) { count = min(count, new) }
    }

    /// What ends the use of a region.
    enum Ending: CaseIterable {
        /// UPDATE_IOTLB of its range, and of another one at a moment when the kernel has it no more.
        case update, updateElsewhere
        case reset, end
        /// The service goes with nobody calling ``VDUSEService/end()``.
        case lost
    }

    private func bring(_ ending: Ending, _ service: consuming VDUSEService<KernelDouble>) throws
        -> VDUSEService<KernelDouble>?
    {
        switch ending {
        case .update, .updateElsewhere:
            device.kernel.regions = [(try #require(AddressRange(first: 0x80_0000, last: 0x80_ffff)), 0)]
            device.kernel.send(
                .updateIOTLB(
                    ending == .update
                        ? try #require(Self.everything)
                        : try #require(AddressRange(first: 0x80_0000, last: 0x80_ffff))))
            try service.serveMessages()
        case .reset:
            device.kernel.send(.setStatus(.reset))
            try service.serveMessages()
        case .end:
            service.end()
            return nil
        case .lost:
            return nil
        }
        return service
    }

    @Test(
        "Nothing is unmapped before the worker has let go of it, and then it is", arguments: Ending.allCases)
    func order(ending: Ending) throws {
        let service = try runningService()
        let old = try #require(device.kernel.mapped.first).entry.range
        let fewest = watchMapped()
        let rest = try bring(ending, service)
        #expect(
            fewest.count >= 1 && fewest.count < .max,
            "the worker was told with what it uses unmapped, or was not told")
        #expect(!device.kernel.mapped.contains { $0.entry.range == old })
        _ = consume rest
    }

    @Test("What a worker may not have heard of is never unmapped", arguments: Ending.allCases)
    func deafWorker(ending: Ending) throws {
        let service = try runningService()
        let old = try #require(device.kernel.mapped.first).entry.range
        dataPath.fail()
        let rest = try bring(ending, service)
        #expect(device.kernel.mapped.contains { $0.entry.range == old })
        _ = consume rest
    }

    @Test("A take-over that fails half-way has the queues stopped that it has started")
    func takeOverFails() throws {
        device.kernel.isRunning = true
        device.kernel.failingQueue = 1
        try failToTakeOver()
        #expect(dataPath.visits.contains(.start) && dataPath.visits.contains(.stop))
        #expect(device.kernel.mapped.isEmpty)
    }

    private func failToTakeOver() throws {
        var service = try device.makeService(dataPath)
        do throws(VDUSEError) {
            try service.takeOver()
            Issue.record("queue 1 answers nothing")
        } catch {
            #expect(error.code == .call)
        }
    }

    // MARK: Whole pages

    @Test(
        "A part of a file is mapped as the whole pages that hold it",
        arguments: [
            (0, 1, 4096, (0, 4096, 0)),
            (4096, 4096, 4096, (4096, 4096, 0)),
            (0x1800, 0x1000, 4096, (0x1000, 0x2000, 0x800)),
            (0x20_1000, 0x1000, 0x20_0000, (0x20_0000, 0x20_0000, 0x1000)),
            (0x3f_f000, 0x2000, 0x20_0000, (0x20_0000, 0x40_0000, 0x1f_f000)),
        ] as [(UInt64, UInt64, UInt64, (UInt64, UInt64, UInt64))])
    func wholePages(offset: UInt64, byteCount: UInt64, page: UInt64, span: (UInt64, UInt64, UInt64)) {
        let pages = FileSpan(offset: offset, byteCount: byteCount, pageByteCount: page)
        #expect((pages.offset, pages.byteCount, pages.inset) == span)
    }

    @Test("Of a file of huge pages a region is mapped in those, and unmapped again")
    func hugePages() throws {
        let descriptor = unsafe clinux_memfd_create("huge", clinux_mfd_hugetlb_2m)
        try #require(descriptor >= 0)
        let file = FileDescriptor(rawValue: descriptor)
        defer { try? file.close() }
        try #require(clinux_set_file_size(descriptor, 4 << 20) == 0)
        let range = try #require(AddressRange<IOVirtualAddress>(first: 0x1000, last: 0x2fff))
        var region: MappedRegion? = try MappedRegion(
            range, access: .readWrite, file: file, fileOffset: 0x20_1000)
        let host = try #require(region).entry.host.rawValue
        #expect(host % (2 << 20) == 0x1000)
        #expect(isMapped(host))
        region = nil
        #expect(!isMapped(host))
    }

    private func isMapped(_ address: UInt64) -> Bool {
        var resident: UInt8 = 0
        let page = unsafe UnsafeMutableRawPointer(bitPattern: UInt(address))
        return unsafe clinux_mincore(page, 4096, &resident) == 0
    }

    // MARK: What cannot be mapped

    @Test(
        "A region that its file does not let be mapped is left out: the queues run, and its accesses alone fail"
    )
    func unreachable() throws {
        let bad = try #require(AddressRange<IOVirtualAddress>(first: 0x1000, last: 0x1fff))
        device.kernel.regions.insert((bad, 0x8000), at: 0)
        device.kernel.unwritable = [bad]
        var service = try device.makeService()
        device.offerFrame()
        try device.start(&service)
        device.kernel.kick(1)
        try device.step(&service)
        #expect(device.rings[1].usedIndex == 1 && device.card.counts(1).faults == 0)
        #expect(service.regions.unreachable.map(\.range) == [bad])
        device.rings[1].setDescriptor(1, bad.first.rawValue, 72)
        device.rings[1].offer(1)
        device.kernel.kick(1)
        try device.step(&service)
        #expect(device.card.counts(1).faults == 1)
        device.offerFrame()
        device.kernel.kick(1)
        try device.step(&service)
        #expect(device.rings[1].usedIndex == 3)
    }

    @Test("Any other refusal is one, and leaves nothing out")
    func otherRefusals() throws {
        let range = try #require(AddressRange<IOVirtualAddress>(first: 0, last: 0xfff))
        let closed = FileDescriptor(rawValue: 1 << 20)
        #expect(throws: VDUSEError.self) {
            _ = try FoundRegion(mapping: range, access: .readWrite, file: closed, fileOffset: 0)
        }
    }
}
