internal import CLinux
internal import Glibc
internal import GuestMemory
internal import LinuxHost
package import Logging
package import SystemPackage
package import VhostVDPA
internal import Virtio

/// An open simulated `/dev/vhost-vdpa-N`: the kernel's `drivers/vhost/vdpa.c` over a ``ParentDriver``.
///
/// Every request checks in the kernel's order and fails with the kernel's errno. The object is one open file:
/// it comes from ``SimulatedVDPADevice/open()`` and is released by ``close()`` or with its last reference. What a queue's
/// requests and the IOTLB's messages need is ``VhostVrings``' and ``VhostIOTLB``'s. Control thread only.
package final class VhostVDPACharacterDevice: CharacterDevice, RefusalReporting {
    private let parent: any ParentDriver
    private let description: ParentDescription
    private let kernel: KernelVersion
    private let backendFeatureOffer: BackendFeatureOffer
    private let vrings: VhostVrings
    private let iotlb: VhostIOTLB
    private let logger: Logger
    /// Called once; `nil` when the file is closed.
    private var onRelease: (() -> Void)?

    /// Who makes the calls. A forked child inherits the descriptor and is somebody else.
    package var caller = SimulatedCaller.process
    private var owner: SimulatedCaller?
    /// The acknowledged backend features: they survive a status reset, not a close.
    private var backendFeatures: BackendFeatures = []
    private var isSuspended = false
    /// A file begins with the module's default, a task of the owner's (VHOST_FORK_OWNER_TASK).
    private var forksFromOwner: UInt8 = 1

    // MARK: Open and close

    /// Opens: resets the device, as the kernel does. `onRelease` runs once, when the file is released.
    package init(
        parent: any ParentDriver, kernel: KernelVersion, mapping: MappingPolicy, pinner: any Pinner,
        logger: Logger, mappings: @escaping ProcessMappings.Source = ProcessMappings.current,
        onRelease: @escaping () -> Void
    ) throws(Errno) {
        self.parent = parent
        self.kernel = kernel
        self.logger = logger
        description = parent.description
        backendFeatureOffer = BackendFeatureOffer(kernel: kernel, description: description)
        vrings = VhostVrings(parent: parent, description: description, kernel: kernel)
        iotlb = VhostIOTLB(
            parent: parent, description: description, policy: mapping, pinner: pinner, mappings: mappings,
            logger: logger)
        try parent.reset()
        self.onRelease = onRelease
        iotlb.allocateDomain()
    }

    deinit { close() }

    package var isOpen: Bool { onRelease != nil }

    /// What GET_BACKEND_FEATURES and GET_IOVA_RANGE answer, for those who watch a client that does not ask.
    package var offeredBackendFeatures: BackendFeatures { backendFeatureOffer.offered }
    package var iovaRange: IOVARange { description.iovaRange }

    /// `vhost_vdpa_release`: reset while the acknowledgement is still valid, kicks, callbacks, then the maps.
    package func close() {
        guard let release = onRelease else { return }
        onRelease = nil
        try? reset()
        vrings.unbindKicks()
        (parent as? SimulatedParent)?.unmapDoorbells()
        parent.setConfigurationCall(nil)
        iotlb.cleanUp()
        vrings.forget()
        backendFeatures = []
        owner = nil
        release()
    }

    // MARK: ioctl

    package func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
        guard isOpen else { throw .badFileDescriptor }
        do throws(Errno) {
            try perform(request, argument)
            return 0
        } catch {
            logger.debug("ioctl refused", metadata: ["request": "\(request)", "errno": "\(error)"])
            throw error
        }
    }

    /// `vhost_vdpa_unlocked_ioctl`: what anybody may ask.
    private func perform(_ request: UInt, _ argument: UInt) throws(Errno) {
        switch request {
        case clinux_vhost_set_backend_features: try setBackendFeatures(argument)
        case clinux_vhost_get_backend_features:
            try store(backendFeatureOffer.offered.rawValue, at: argument)
        case clinux_vhost_get_features: try store(parent.deviceFeatures.low, at: argument)
        case clinux_vhost_set_features: try setFeatures(argument)
        case clinux_vdpa_get_device_id: try store(description.deviceID.rawValue, at: argument)
        case clinux_vdpa_get_status: try store(parent.status.rawValue, at: argument)
        case clinux_vdpa_set_status: try setStatus(argument)
        case clinux_vdpa_get_config: try getConfiguration(argument)
        case clinux_vdpa_set_config: try setConfiguration(argument)
        case clinux_vdpa_get_config_size: try store(UInt32(description.configurationSize), at: argument)
        case clinux_vdpa_set_config_call: try setConfigurationCall(argument)
        case clinux_vdpa_get_vring_num: try store(description.maximumQueueSize, at: argument)
        case clinux_vdpa_get_group_num: try store(UInt32(description.groupCount), at: argument)
        case clinux_vdpa_get_as_num: try store(UInt32(description.addressSpaceCount), at: argument)
        case clinux_vdpa_get_vqs_count: try store(UInt32(description.queueCount), at: argument)
        case clinux_vdpa_get_iova_range: try getIOVARange(argument)
        case clinux_vhost_set_log_base, clinux_vhost_set_log_fd: throw .unknownRequest
        case clinux_vdpa_suspend: try suspend()
        case clinux_vdpa_resume where kernel.hasResume: try resume()
        case clinux_vhost_set_owner: try setOwner()
        case ForkFromOwnerRequest.set where kernel.hasForkFromOwner: try setForkFromOwner(argument)
        case ForkFromOwnerRequest.get where kernel.hasForkFromOwner:
            try store(forksFromOwner, at: argument)
        default: try performOwned(request, argument)
        }
    }

    /// What only the owner may ask: the generic vhost requests, then those of a queue.
    private func performOwned(_ request: UInt, _ argument: UInt) throws(Errno) {
        guard owner == caller else { throw .notPermitted }
        switch request {
        case clinux_vhost_set_mem_table: try setMemoryTable(argument)
        default: try vrings.perform(request, argument, from: caller.process, isSuspended: isSuspended)
        }
    }

    private func setOwner() throws(Errno) {
        guard owner == nil else { throw .resourceBusy }
        owner = caller
    }

    /// Whose child a vhost worker is to be, which vhost-vdpa has none of: kept until the close, and no more.
    private func setForkFromOwner(_ argument: UInt) throws(Errno) {
        guard owner == nil else { throw .resourceBusy }
        let value = try caller.process.memory.load(UInt8.self, at: argument)
        guard value <= 1 else { throw .invalidArgument }
        forksFromOwner = value
    }

    private func store(_ value: some FixedWidthInteger & BitwiseCopyable, at argument: UInt) throws(Errno) {
        try caller.process.memory.store(value, at: argument)
    }

    // MARK: Negotiation, status, suspend and resume

    private func setBackendFeatures(_ argument: UInt) throws(Errno) {
        let wanted = BackendFeatures(rawValue: try caller.process.memory.load(UInt64.self, at: argument))
        try backendFeatureOffer.check(wanted)
        backendFeatures = wanted
    }

    /// EBUSY comes before the address is looked at; whatever the parent objects to is EINVAL.
    private func setFeatures(_ argument: UInt) throws(Errno) {
        guard !parent.status.contains(.featuresOK) else { throw .resourceBusy }
        let features = VirtioFeatures(low: try caller.process.memory.load(UInt64.self, at: argument))
        do throws(Errno) {
            try parent.setDriverFeatures(features)
        } catch {
            throw .invalidArgument
        }
        vrings.noteFeatures()
    }

    /// Bits may be added, or all of them dropped at once, which resets the device.
    private func setStatus(_ argument: UInt) throws(Errno) {
        let wanted = DeviceStatus(rawValue: try caller.process.memory.load(UInt8.self, at: argument))
        guard wanted.isEmpty || parent.status.isSubset(of: wanted) else { throw .invalidArgument }
        if wanted.isEmpty {
            try reset()
        } else {
            parent.setStatus(wanted)
        }
    }

    /// `_compat_vdpa_reset`: the maps are asked to go unless PERSIST is acknowledged at this moment.
    ///
    /// Nothing of vhost-vdpa's own goes: entries, pins, address spaces and an open batch stay.
    private func reset() throws(Errno) {
        isSuspended = false
        let flags: ResetFlags = backendFeatures.contains(.iotlbPersist) ? [] : .cleanMap
        if description.operations.contains(.compatReset), !flags.isEmpty {
            try parent.compatReset(flags)
        } else {
            try parent.reset()
        }
    }

    private func suspend() throws(Errno) {
        let canSuspend = description.operations.contains(.suspend)
        if kernel.checksSuspendOperationFirst, !canSuspend { throw .operationNotSupported }
        guard parent.status.contains(.driverOK) else { return }
        guard canSuspend else { throw .operationNotSupported }
        try parent.suspend()
        isSuspended = true
    }

    private func resume() throws(Errno) {
        guard parent.status.contains(.driverOK) else { return }
        guard description.operations.contains(.resume) else { throw .operationNotSupported }
        try parent.resume()
        isSuspended = false
    }

    // MARK: The configuration space, and limits

    /// `struct vhost_vdpa_config`: a header of two words, then the bytes.
    private static let configurationHeaderByteCount: UInt = 8

    private func getConfiguration(_ argument: UInt) throws(Errno) {
        let (offset, count) = try configurationRange(argument)
        let bytes = parent.configuration(at: offset, count: count)
        try caller.process.memory.store(bytes: bytes, at: argument &+ Self.configurationHeaderByteCount)
    }

    private func setConfiguration(_ argument: UInt) throws(Errno) {
        let (offset, count) = try configurationRange(argument)
        let bytes = try caller.process.memory.bytes(
            at: argument &+ Self.configurationHeaderByteCount, count: count)
        parent.setConfiguration(bytes, at: offset)
    }

    /// The bytes a header names; the kernel turns every objection into EINVAL.
    private func configurationRange(_ argument: UInt) throws(Errno) -> (offset: Int, count: Int) {
        let header = try caller.process.memory.load(UInt64.self, at: argument)
        let offset = Int(UInt32(truncatingIfNeeded: header))
        let count = Int(UInt32(truncatingIfNeeded: header >> 32))
        let size = description.configurationSize
        guard count > 0, offset <= size, count <= size - offset else { throw .invalidArgument }
        return (offset, count)
    }

    /// A descriptor that is refused leaves the earlier one bound.
    private func setConfigurationCall(_ argument: UInt) throws(Errno) {
        let descriptor = try caller.process.memory.load(Int32.self, at: argument)
        parent.setConfigurationCall(try EventFile.named(descriptor, of: caller.process))
    }

    private func getIOVARange(_ argument: UInt) throws(Errno) {
        let range = description.iovaRange
        var bytes: [UInt8] = []
        for word in [range.first.rawValue, range.last.rawValue] {
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        try caller.process.memory.store(bytes: bytes, at: argument)
    }

    /// `VHOST_SET_MEM_TABLE`: checked and forgotten, vhost-vdpa translates by IOTLB alone.
    private func setMemoryTable(_ argument: UInt) throws(Errno) {
        let header = try caller.process.memory.load(UInt64.self, at: argument)
        let regions = UInt32(truncatingIfNeeded: header)
        guard header >> 32 == 0 else { throw .operationNotSupported }
        guard regions <= 64 else { throw .argListTooLong }  // max_mem_regions
        _ = try caller.process.memory.bytes(at: argument &+ 8, count: Int(regions) * 32)
    }

    // MARK: write and mmap

    /// `vhost_chr_write_iter`: one message per call. Everything the handler objects to is EFAULT; the cause is in
    /// ``mapFailures``. That the bytes are a process's at all is asked before the file is (`vfs_write`, `access_ok`).
    package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        try write(at: UInt(bitPattern: bytes.baseAddress), byteCount: bytes.count)
    }

    /// The same, with the address as what it is in a system call: a number.
    package func write(at address: UInt, byteCount: Int) throws(Errno) -> Int {
        try write([CallerPiece(address: address, byteCount: byteCount)])
    }

    /// The same of a message in pieces.
    package func write(_ pieces: [CallerPiece]) throws(Errno) -> Int {
        guard isOpen else { throw .badFileDescriptor }
        guard pieces.allSatisfy({ CallerMemory.canBeProcess(at: $0.address, count: $0.byteCount) }) else {
            throw .badAddress
        }
        let message = try VhostMessage(
            gathering: pieces, of: caller.process, acknowledged: backendFeatures)
        try iotlb.take(message, from: caller.process, isOwner: owner == caller)
        return VhostMessage.reportedByteCount
    }

    /// vhost-vdpa's entries, of each address space that exists.
    var entries: [UInt32: [TranslationEntry]] { iotlb.entries }
    /// The latest messages that were refused, and failures that nobody was told of, oldest first.
    package var mapFailures: [MapFailure] { iotlb.failures }
    package var lastRefusal: String? { iotlb.refusal }

    /// `vhost_vdpa_mmap`, and what `vhost_vdpa_fault` would insert: a doorbell that is a page of its own. One that does not
    /// begin a page is EINVAL, no doorbell and one of another size are errno 524.
    ///
    /// The kernel asks its parent for any offset up to 65535 pages, and the parents look beyond their queues (pds, ifcvf,
    /// octeon_ep); here what is no queue is EINVAL. A parent driver of one's own has no page that could be mapped: 524.
    package func map(
        length: Int, protection: Int32, flags: Int32, offset: Int
    ) throws(Errno) -> UnsafeMutableRawPointer {
        guard isOpen else { throw .badFileDescriptor }
        let page = HostPage.byteCount
        guard length > 0, length <= page, offset >= 0, offset % page == 0 else { throw .invalidArgument }
        guard flags & MAP_TYPE != MAP_PRIVATE, protection & PROT_READ == 0 else { throw .invalidArgument }
        let queue = offset / page
        guard queue <= 0xffff else { throw .invalidArgument }
        guard let stride = description.doorbellStride else { throw .kernelNotSupported }
        guard queue * stride % page == 0 else { throw .invalidArgument }
        guard stride == page || stride == 0, let simulated = parent as? SimulatedParent else {
            throw .kernelNotSupported
        }
        return try unsafe simulated.doorbell(ofQueue: queue).map(protection: protection, flags: flags)
    }
}

/// The generic vhost layer takes them of any device, before it asks for an owner.
private enum ForkFromOwnerRequest {
    static let set: UInt = 0x4001_af84  // VHOST_SET_FORK_FROM_OWNER
    static let get: UInt = 0x8001_af85  // VHOST_GET_FORK_FROM_OWNER
}
