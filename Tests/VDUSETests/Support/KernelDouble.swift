import CLinux
import GuestMemory
import LinuxHost
import SystemPackage
import TestSupport
import Testing
import VirtQueue
import Virtio

@testable import VDUSE

/// VDUSE's half of a device, as drivers/vdpa/vdpa_user/vduse_dev.c has it, without a kernel: what a driver has set is a
/// variable, messages are queued, and the driver's memory is a memfd of a megabyte.
final class KernelDouble: VDUSECalls {
    static let memoryRange = AddressRange<IOVirtualAddress>(first: 0x10_0000, byteCount: .mebibytes(1))

    var features: VirtioFeatures = [.version1, .accessPlatform]
    var queues: [QueueInformation]
    /// What the driver's kicks signal; what a reset or a service has undone is `nil`.
    private(set) var kicks: [SharedEventFD?]
    private(set) var outcomes: [KernelAnswer.Outcome] = []
    private(set) var interrupts: [Int] = []
    private(set) var mapCount = 0
    /// DRIVER_OK is set as far as the kernel knows.
    var isRunning = false
    /// Where each mapped region begins in the file; empty where the driver has mapped nothing.
    var regions: [(range: AddressRange<IOVirtualAddress>, offset: UInt64)] = []
    /// Questions for a region are refused.
    var refusesRegions = false
    /// What the driver mapped may be written, as far as it says, and cannot be.
    var unwritable: Set<AddressRange<IOVirtualAddress>> = []
    /// What was mapped here and still is.
    var mapped: [MappedRegion] { made.compactMap(\.region) }
    private var made: [WeakRegion] = []
    let file: FileDescriptor
    /// The same file, which may be read alone.
    private let readOnly: FileDescriptor
    /// Nothing is to be learned of this queue.
    var failingQueue: Int?
    /// So many interrupts are refused from now on, as before the kernel has noted DRIVER_OK.
    var refusedInterrupts = 0
    private var messages: [KernelMessage] = []
    private let readable: SharedEventFD

    init() throws {
        queues = Array(
            repeating: QueueInformation(size: 0, addresses: .zero, availIndex: 0, isReady: false), count: 2)
        kicks = [nil, nil]
        readable = try SharedEventFD()
        let descriptor = unsafe clinux_memfd_create("driver", clinux_mfd_cloexec)
        try #require(descriptor >= 0)
        file = FileDescriptor(rawValue: descriptor)
        readOnly = unsafe try FileDescriptor.open("/proc/self/fd/\(descriptor)", .readOnly)
        try #require(clinux_set_file_size(descriptor, 1 << 20) == 0)
        regions = [(try #require(Self.memoryRange), 0)]
    }

    deinit {
        try? file.close()
        try? readOnly.close()
    }

    // MARK: The driver

    /// Has the kernel ask.
    func send(_ request: KernelMessage.Request) {
        messages.append(KernelMessage(id: UInt32(outcomes.count + messages.count), request: request))
        readable.event.signal()
    }

    /// Kicks a queue, as the kernel passes it on: not where it is not enabled.
    func kick(_ queue: Int) {
        if queues[queue].isReady { kicks[queue]?.event.signal() }
    }

    // MARK: VDUSECalls

    var descriptor: FileDescriptor { readable.descriptor }

    func nextMessage() throws(VDUSEError) -> KernelMessage? {
        guard let message = messages.first else {
            readable.event.drain()
            return nil
        }
        return message
    }

    func answer(_ answer: KernelAnswer) throws(VDUSEError) {
        let message = messages.removeFirst()
        #expect(answer.id == message.id)
        outcomes.append(answer.outcome)
        guard case .setStatus(let status) = message.request, answer.outcome == .done else { return }
        isRunning = status.contains(.driverOK)
        // `vduse_dev_reset`, which follows the answer.
        if status == .reset { for queue in kicks.indices { kicks[queue] = nil } }
    }

    func driverFeatures() throws(VDUSEError) -> VirtioFeatures { features }

    func queue(_ index: Int) throws(VDUSEError) -> QueueInformation {
        if index == failingQueue { throw VDUSEError(.call, call: "VDUSE_VQ_GET_INFO", errno: .ioError) }
        return queues[index]
    }

    func bindKick(_ kick: FileDescriptor?, queue: Int) throws(VDUSEError) {
        do throws(Errno) {
            kicks[queue] = if let kick { try SharedEventFD(duplicating: kick) } else { nil }
        } catch {
            throw VDUSEError(.call, call: "eventfd", errno: error)
        }
    }

    func interrupt(queue: Int) -> Bool {
        guard isRunning, refusedInterrupts == 0 else {
            refusedInterrupts -= 1
            return false
        }
        if queues[queue].isReady { interrupts.append(queue) }
        return true
    }

    func interruptConfiguration() -> Bool { isRunning }

    func region(from first: IOVirtualAddress, known: [MappedRegion]) throws(VDUSEError) -> FoundRegion? {
        if refusesRegions { throw VDUSEError(.map, call: "mmap", errno: .noMemory) }
        guard let region = regions.first(where: { $0.range.last >= first }) else { return nil }
        if let old = known.first(where: {
            $0.isMapping(of: region.range, .readWrite, fileOffset: region.offset)
        }) {
            return .mapped(old)
        }
        mapCount += 1
        let source = unwritable.contains(region.range) ? readOnly : file
        let found = try FoundRegion(
            mapping: region.range, access: .readWrite, file: source, fileOffset: region.offset)
        if case .mapped(let new) = found { made.append(WeakRegion(region: new)) }
        return found
    }
}

private struct WeakRegion {
    weak var region: MappedRegion?
}
