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
    private let file: any CharacterDevice
    private let logger: Logger
    /// Whether calls are logged, asked once: asking a logger takes longer than everything else that is done for a
    /// call here.
    private let isTraced: Bool
    private var tally = DeviceCallCounts()
    private var observer: (any DeviceCallObserver)?

    /// How often the device was called through this object.
    public var counts: DeviceCallCounts { tally }

    /// Puts the typed interface on an open character device; the file is this object's from now on.
    public init(_ file: any CharacterDevice, logger: Logger) {
        self.file = file
        self.logger = logger
        isTraced = logger.logLevel <= .debug
    }

    /// Has `observer` watch every call from now on, in place of whoever did; `nil` for nobody.
    package func watch(with observer: (any DeviceCallObserver)?) { self.observer = observer }

    /// Closes the device file: the kernel resets the device, removes its maps and unpins the memory.
    public func close() {
        trace("close")
        file.close()
    }

    /// Makes an `ioctl(2)`: `argument` is whatever the request takes, most often an address.
    ///
    /// Inlined, with what is not there in a plain run apart: a stop and start is some twenty calls, and what each costs
    /// here is a third of all that it costs outside the kernel.
    @inline(__always)
    func call(_ request: UInt, _ argument: UInt = 0) throws(VhostVDPAError) {
        tally.ioctls += 1
        if observer != nil { announce(request, argument) }
        do throws(Errno) {
            let result = try file.ioctl(request, argument)
            if observer != nil || isTraced { tell(request, argument, result) }
        } catch {
            try again(request, argument, after: error)
        }
    }

    /// Makes an `ioctl(2)` with the address of `value`, which the kernel may change.
    @inline(__always)
    func call<Value: BitwiseCopyable>(_ request: UInt, with value: inout Value) throws(VhostVDPAError) {
        try unsafe withUnsafeMutablePointer(to: &value) { (pointer) throws(VhostVDPAError) in
            try call(request, UInt(bitPattern: pointer))
        }
    }

    @inline(never)
    private func announce(_ request: UInt, _ argument: UInt) { observer?.willCall(request, argument) }

    @inline(never)
    private func tell(_ request: UInt, _ argument: UInt, _ result: Int32) {
        observer?.didCall(request, argument)
        trace(
            "ioctl \(DeviceCallText.call(request, argument)) = \(DeviceCallText.answer(request, argument, result))"
        )
    }

    @inline(never)
    private func again(_ request: UInt, _ argument: UInt, after error: Errno) throws(VhostVDPAError) {
        do throws(Errno) {
            tell(request, argument, try file.ioctlAgain(request, argument, after: error))
        } catch {
            let name = DeviceCallText.call(request, argument)
            trace("ioctl \(name) failed: \(describe(error))")
            throw VhostVDPAError(.ioctl, call: name, errno: error)
        }
    }

    /// Writes one IOTLB message.
    ///
    /// Errors: nearly always EFAULT, whatever the reason; EINVAL for an UPDATE of the whole 64-bit space. A
    /// success of BATCH_END says nothing about the device.
    public func send(_ message: IOTLBMessage) throws(VhostVDPAError) {
        switch message.operation {
        case .update: tally.updates += 1
        case .invalidate, .invalidateAll: tally.invalidates += 1
        case .batchBegin: tally.batches += 1
        case .batchEnd: break
        }
        observer?.willSend(message)
        let written: Int
        do throws(Errno) {
            written = try unsafe withUnsafeBytes(of: message.encoded) { (bytes) throws(Errno) in
                try unsafe file.write(bytes)
            }
        } catch {
            trace("write \(message) failed: \(describe(error))")
            throw VhostVDPAError(
                .message, call: "\(message)", errno: error,
                context: (file as? any RefusalReporting)?.lastRefusal)
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
            let page = try unsafe file.map(
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

    /// Logs what a call was and what came of it.
    private func trace(_ text: @autoclosure () -> String) {
        guard isTraced else { return }
        let text = text()
        logger.debug("\(text)")
    }
}
