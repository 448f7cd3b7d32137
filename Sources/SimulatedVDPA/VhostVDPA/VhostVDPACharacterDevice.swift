internal import CLinux
internal import GuestMemory
internal import LinuxHost
package import Logging
package import SystemPackage
internal import VhostVDPA
internal import Virtio

/// An open simulated `/dev/vhost-vdpa-N`: the kernel's `drivers/vhost/vdpa.c` over a ``ParentDriver``.
///
/// Every request checks in the kernel's order and fails with the kernel's errno. The object is one open file:
/// it comes from ``SimulatedVDPADevice/open()`` and is released by ``close()`` or with its last reference.
/// Control thread only.
package final class VhostVDPACharacterDevice: CharacterDevice, RefusalReporting {
    let parent: any ParentDriver
    let description: ParentDescription
    let kernel: KernelVersion
    let logger: Logger
    private var onRelease: (() -> Void)?

    /// Who makes the calls. A forked child inherits the descriptor and is somebody else.
    package var caller = SimulatedCaller.process
    var owner: SimulatedCaller?
    let backendFeatureOffer: BackendFeatureOffer
    /// The acknowledged backend features: they survive a status reset, not a close.
    var backendFeatures: BackendFeatures = []
    var isSuspended = false
    var vrings: [VhostVring]
    let iotlb: VhostIOTLB

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
        iotlb = VhostIOTLB(
            parent: parent, description: description, policy: mapping, pinner: pinner, mappings: mappings,
            logger: logger)
        backendFeatureOffer = BackendFeatureOffer(kernel: kernel, description: description)
        vrings = Array(repeating: VhostVring(), count: description.queueCount)
        try parent.reset()
        self.onRelease = onRelease
        iotlb.allocateDomain()
    }

    deinit { close() }

    package var isOpen: Bool { onRelease != nil }

    /// vhost-vdpa's entries, of each address space that exists.
    var entries: [UInt32: [TranslationEntry]] { iotlb.entries }
    /// The latest refused messages, and failures that nobody was told of, oldest first.
    package var mapFailures: [MapFailure] { iotlb.failures }
    package var lastRefusal: String? { iotlb.refusal }

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

    /// `vhost_chr_write_iter`: one message per call. Everything the handler objects to is EFAULT; the cause is in
    /// ``mapFailures``.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        guard isOpen else { throw .badFileDescriptor }
        let message = try VhostMessage(
            at: UInt(bitPattern: bytes.baseAddress), byteCount: bytes.count, acknowledged: backendFeatures)
        try iotlb.take(message, fromOwner: owner == caller)
        return VhostMessage.reportedByteCount
    }

    /// `vhost_vdpa_mmap`. No parent has a doorbell that is a page of its own, which is what can be mapped: what
    /// passes the checks is errno 524, and a doorbell that does not begin a page is EINVAL before that.
    package func map(
        length: Int, protection: Int32, flags: Int32, offset: Int
    ) throws(Errno) -> UnsafeMutableRawPointer {
        guard isOpen else { throw .badFileDescriptor }
        let page = HostPage.byteCount
        guard length > 0, offset >= 0, offset % page == 0 else { throw .invalidArgument }
        guard (length + page - 1) / page == 1 else { throw .invalidArgument }
        guard flags & MapBits.typeMask != MapBits.private, protection & MapBits.read == 0 else {
            throw .invalidArgument
        }
        let queue = offset / page
        guard queue <= 0xffff else { throw .invalidArgument }
        if let stride = description.doorbellStride, queue * stride % page != 0 { throw .invalidArgument }
        throw .kernelNotSupported
    }

    /// `vhost_vdpa_release`: reset while the acknowledgement is still valid, kicks, callbacks, then the maps.
    package func close() {
        guard let release = onRelease else { return }
        onRelease = nil
        try? resetDevice()
        for queue in vrings.indices where vrings[queue].kick != nil { parent.setKick(nil, queue: queue) }
        parent.setConfigurationCall(nil)
        iotlb.cleanUp()
        vrings = Array(repeating: VhostVring(), count: vrings.count)
        backendFeatures = []
        owner = nil
        release()
    }

    /// `_compat_vdpa_reset`: the maps are asked to go unless PERSIST is acknowledged at this moment.
    ///
    /// Nothing of vhost-vdpa's own goes: entries, pins, address spaces and an open batch stay.
    func resetDevice() throws(Errno) {
        isSuspended = false
        let flags: ResetFlags = backendFeatures.contains(.iotlbPersist) ? [] : .cleanMap
        if description.operations.contains(.compatReset), !flags.isEmpty {
            try parent.compatReset(flags)
        } else {
            try parent.reset()
        }
    }

    func checkOwner() throws(Errno) {
        guard owner == caller else { throw .notPermitted }
    }

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
        default: try performOwned(request, argument)
        }
    }

    /// What only the owner may ask: the generic vhost requests, then those of a queue.
    private func performOwned(_ request: UInt, _ argument: UInt) throws(Errno) {
        try checkOwner()
        switch request {
        case clinux_vhost_set_mem_table: try setMemoryTable(argument)
        default: try performVring(request, argument)
        }
    }

    private func setOwner() throws(Errno) {
        guard owner == nil else { throw .resourceBusy }
        owner = caller
    }

    private func store(_ value: some FixedWidthInteger & BitwiseCopyable, at argument: UInt) throws(Errno) {
        try CallerMemory.store(value, at: argument)
    }
}
