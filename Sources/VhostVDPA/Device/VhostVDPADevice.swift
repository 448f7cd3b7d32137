internal import CLinux
public import GuestMemory
public import Logging
internal import SystemPackage

/// A vhost-vdpa device: one method for each call of the kernel's interface, with typed arguments.
///
/// The methods encode, call and decode; they keep no rule and remember nothing but the counters. Which calls
/// go in which order is the business of the backend above. Every call is logged at debug with its arguments
/// and its answer, if the logger's level asks for that when the object is made. The object owns the character
/// device. One thread only, the control thread.
public final class VhostVDPADevice {
    let device: any CharacterDevice
    private let logger: Logger
    /// Whether calls are logged, asked once: asking a logger takes longer than everything else that is done for a
    /// call here.
    private let isTraced: Bool

    /// How often the device was called through this object.
    public internal(set) var counts: DeviceCallCounts {
        get { tally }
        set { tally = newValue }
    }
    /// Behind an accessor, because a stored property that another module sees is checked for exclusive access at
    /// every use, which costs more than the rest of what is done for a call here.
    private var tally = DeviceCallCounts()

    /// Who watches the calls. Not the configuration space's.
    package var observer: (any DeviceCallObserver)? {
        get { watcher }
        set {
            watcher = newValue
            isWatched = newValue != nil
            findPlainness()
        }
    }
    private var watcher: (any DeviceCallObserver)?
    /// Asked at every call: looking at a reference that may change takes longer.
    private var isWatched = false
    /// The file again, where it is the kernel's.
    private let kernelFile: KernelFile?
    /// Whether the file is the kernel's and nobody sees its calls, so that a call is a system call and nothing else. One
    /// question where there were three, and nothing to dispatch.
    private var isPlain = false

    /// Puts the typed interface on an open character device; the file is this object's from now on.
    public init(_ device: any CharacterDevice, logger: Logger) {
        self.device = device
        kernelFile = device as? KernelFile
        self.logger = logger
        isTraced = logger.logLevel <= .debug
        findPlainness()
    }

    private func findPlainness() { isPlain = kernelFile != nil && !isTraced && !isWatched }

    /// Logs what a call was and what came of it.
    func trace(_ text: @autoclosure () -> String) {
        guard isTraced else { return }
        let text = text()
        logger.debug("\(text)")
    }

    /// Closes the device file: the kernel resets the device, removes its maps and unpins the memory.
    public func close() {
        trace("close")
        device.close()
    }

    /// Calls with the address of `value`, which the kernel may change.
    @inline(__always)
    func call<Value: BitwiseCopyable>(_ request: UInt, with value: inout Value) throws(VhostVDPAError) {
        try unsafe withUnsafeMutablePointer(to: &value) { (pointer) throws(VhostVDPAError) in
            try call(request, UInt(bitPattern: pointer))
        }
    }

    /// Calls with `argument`, most often an address.
    ///
    /// What is needed only where a call fails, is logged or is watched stands outside: it would cost more than the
    /// rest of the way to the kernel.
    @inline(__always)
    func call(_ request: UInt, _ argument: UInt = 0) throws(VhostVDPAError) {
        counts.ioctls += 1
        if isPlain, let kernelFile {
            let result = clinux_ioctl(kernelFile.openDescriptor, request, argument)
            if result < 0 { try again(request, argument, Errno(rawValue: -result)) }
        } else {
            try seenCall(request, argument)
        }
    }

    /// A plain call that failed: made again while a signal interrupts it.
    @inline(never)
    private func again(_ request: UInt, _ argument: UInt, _ errno: Errno) throws(VhostVDPAError) {
        guard errno == .interrupted else { throw failure(request, argument, errno) }
        do throws(Errno) {
            _ = try device.ioctl(request, argument)
        } catch {
            throw failure(request, argument, error)
        }
    }

    /// A call of a device that is not the kernel's, or that somebody sees.
    @inline(never)
    private func seenCall(_ request: UInt, _ argument: UInt) throws(VhostVDPAError) {
        if isWatched { watcher?.willCall(request, argument) }
        do throws(Errno) {
            let result = try device.ioctl(request, argument)
            if isWatched { watcher?.didCall(request, argument) }
            trace(
                "ioctl \(DeviceCallText.call(request, argument)) = \(DeviceCallText.answer(request, argument, result))"
            )
        } catch {
            throw failure(request, argument, error)
        }
    }

    private func failure(_ request: UInt, _ argument: UInt, _ errno: Errno) -> VhostVDPAError {
        let name = DeviceCallText.call(request, argument)
        trace("ioctl \(name) failed: \(describe(errno))")
        return VhostVDPAError(.ioctl, call: name, errno: errno)
    }

    /// Writes one IOTLB message.
    ///
    /// Errors: nearly always EFAULT, whatever the reason; EINVAL for an UPDATE of the whole 64-bit space. A
    /// success of BATCH_END says nothing about the device.
    public func send(_ message: IOTLBMessage) throws(VhostVDPAError) {
        switch message.operation {
        case .update: counts.updates += 1
        case .invalidate, .invalidateAll: counts.invalidates += 1
        case .batchBegin: counts.batches += 1
        case .batchEnd: break
        }
        if isWatched { watcher?.willSend(message) }
        let written: Int
        do throws(Errno) {
            written = try unsafe withUnsafeBytes(of: message.encoded) { (bytes) throws(Errno) in
                try unsafe device.write(bytes)
            }
        } catch {
            trace("write \(message) failed: \(describe(error))")
            throw VhostVDPAError(
                .message, call: "\(message)", errno: error,
                context: (device as? any RefusalReporting)?.lastRefusal)
        }
        trace("write \(message) = \(written)")
        guard written == MemoryLayout<vhost_msg_v2>.size else {
            throw VhostVDPAError(
                .shortWrite, call: "\(message)", errno: .ioError,
                context: "the device took \(written) of \(MemoryLayout<vhost_msg_v2>.size) bytes")
        }
    }

    /// Maps the page of a queue's doorbell, write-only, as the kernel demands. The caller unmaps it.
    ///
    /// Errors: errno 524 where the parent has no doorbell to map (vdpa_sim, VDUSE).
    public func mapDoorbell(of vring: VringIndex, pageSize: Int) throws(VhostVDPAError) -> HostAddress {
        let name = "mmap(doorbell: \(vring), length: \(pageSize))"
        do throws(Errno) {
            let page = try unsafe device.map(
                length: pageSize, protection: PROT_WRITE, flags: MAP_SHARED,
                offset: Int(vring.rawValue) * pageSize)
            let address = HostAddress(rawValue: UInt64(UInt(bitPattern: page)))
            trace("\(name) = \(address)")
            return address
        } catch {
            trace("\(name) failed: \(describe(error))")
            throw VhostVDPAError(.map, call: name, errno: error)
        }
    }
}
