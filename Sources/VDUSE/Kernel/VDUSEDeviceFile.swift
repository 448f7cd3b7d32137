internal import CLinux
package import GuestMemory
package import SystemPackage
package import Virtio

/// `/dev/vduse/NAME`, open: who has it serves the device. One process at a time; the kernel keeps what it knows of the
/// device, and the messages that nobody has answered, for the next one (`vduse_dev_release`,
/// drivers/vdpa/vdpa_user/vduse_dev.c).
package struct VDUSEDeviceFile: VDUSECalls, ~Copyable {
    package let descriptor: FileDescriptor
    private let name: VDUSEName
    /// Made just now: no driver has ever seen it.
    package let isNew: Bool

    /// Opens the file in `folder`.
    init(_ name: VDUSEName, in folder: FilePath, isNew: Bool) throws(VDUSEError) {
        descriptor = try Self.open(folder.appending(name.description))
        self.name = name
        self.isNew = isNew
    }

    private static func open(_ path: FilePath) throws(VDUSEError) -> FileDescriptor {
        do {
            return try FileDescriptor.open(path, .readWrite, options: [.closeOnExec, .nonBlocking])
        } catch {
            let errno = error as? Errno
            let isTaken = errno == .resourceBusy
            throw VDUSEError(
                isTaken ? .inUse : .call, call: "open(\(path))", errno: errno,
                context: isTaken
                    ? "another process serves it; see `fuser -v \(path)` for which, and end it" : nil)
        }
    }

    deinit { try? descriptor.close() }

    /// Throws where a device that was there has another number of queues than it is to be served with.
    func requireQueues(_ count: Int) throws(VDUSEError) {
        _ = try queue(count - 1)
        guard let _ = try? queue(count) else { return }
        throw VDUSEError(
            .otherDevice, call: "VDUSE_VQ_GET_INFO(queue: \(count))", errno: nil,
            context: "\(name) has more queues than \(count): another program has made it; take another --name"
        )
    }

    /// Says how large a queue's ring may be, before the device is attached to the bus.
    func setUp(queue: Int, maximumSize: UInt16) throws(VDUSEError) {
        var structure = KernelStructure(byteCount: 32)
        structure.set(0, UInt32(queue))
        structure.set(4, maximumSize)
        try call(clinux_vduse_vq_setup, &structure, "VDUSE_VQ_SETUP(queue: \(queue))")
    }

    // MARK: Messages

    package func nextMessage() throws(VDUSEError) -> KernelMessage? {
        var bytes = [UInt8](repeating: 0, count: KernelMessage.byteCount)
        let count: Int
        do {
            count = try unsafe bytes.withUnsafeMutableBytes { unsafe try descriptor.read(into: $0) }
        } catch {
            let errno = error as? Errno
            if errno == .resourceTemporarilyUnavailable { return nil }
            throw failure("read(/dev/vduse/\(name))", errno)
        }
        guard count == bytes.count, let message = KernelMessage(bytes: bytes) else {
            throw VDUSEError(
                .call, call: "read(/dev/vduse/\(name))", errno: nil, context: "\(count) bytes are no message")
        }
        return message
    }

    package func answer(_ answer: KernelAnswer) throws(VDUSEError) {
        let bytes = answer.bytes
        do {
            _ = try unsafe bytes.withUnsafeBytes { unsafe try descriptor.write($0) }
        } catch {
            let errno = error as? Errno
            // Nobody waits for the answer any more: the message has timed out, or its sender was killed.
            if errno == .noSuchFileOrDirectory { return }
            throw failure("write(/dev/vduse/\(name))", errno)
        }
    }

    // MARK: Questions and orders

    package func driverFeatures() throws(VDUSEError) -> VirtioFeatures {
        var structure = KernelStructure(byteCount: 8)
        try call(clinux_vduse_dev_get_features, &structure, "VDUSE_DEV_GET_FEATURES")
        return VirtioFeatures(low: structure.field(0))
    }

    package func queue(_ index: Int) throws(VDUSEError) -> QueueInformation {
        var structure = KernelStructure(byteCount: QueueInformation.byteCount)
        structure.set(0, UInt32(index))
        try call(clinux_vduse_vq_get_info, &structure, "VDUSE_VQ_GET_INFO(queue: \(index))")
        return QueueInformation(structure)
    }

    package func bindKick(_ kick: FileDescriptor?, queue: Int) throws(VDUSEError) {
        var structure = KernelStructure(byteCount: 8)
        structure.set(0, UInt32(queue))
        structure.set(4, UInt32(bitPattern: kick?.rawValue ?? -1))  // VDUSE_EVENTFD_DEASSIGN
        try call(clinux_vduse_vq_setup_kickfd, &structure, "VDUSE_VQ_SETUP_KICKFD(queue: \(queue))")
    }

    package func interrupt(queue: Int) -> Bool {
        var structure = KernelStructure(byteCount: 4)
        structure.set(0, UInt32(queue))
        return structure.withAddress { clinux_ioctl(descriptor.rawValue, clinux_vduse_vq_inject_irq, $0) }
            >= 0
    }

    package func interruptConfiguration() -> Bool {
        clinux_ioctl(descriptor.rawValue, clinux_vduse_dev_inject_config_irq, 0) >= 0
    }

    /// `struct vduse_iotlb_entry`: offset in the file 0, first address 8, last 16, access 24. The kernel answers EINVAL
    /// where nothing is mapped.
    package func region(
        from first: IOVirtualAddress, known: [MappedRegion]
    ) throws(VDUSEError) -> FoundRegion? {
        var structure = KernelStructure(byteCount: 32)
        structure.set(8, first.rawValue)
        structure.set(16, UInt64.max)
        let result = structure.withAddress {
            clinux_ioctl(descriptor.rawValue, clinux_vduse_iotlb_get_fd, $0)
        }
        guard result >= 0 else {
            let errno = Errno(rawValue: -result)
            if errno == .invalidArgument { return nil }
            throw failure("VDUSE_IOTLB_GET_FD(from: \(first))", errno)
        }
        let file = FileDescriptor(rawValue: result)
        defer { try? file.close() }
        let range = AddressRange(
            first: IOVirtualAddress(rawValue: structure.field(8)),
            last: IOVirtualAddress(rawValue: structure.field(16)))
        guard let range, range.last >= first else {
            throw VDUSEError(
                .call, call: "VDUSE_IOTLB_GET_FD(from: \(first))", errno: nil,
                context: "the answer is no region")
        }
        let (offset, access) = (structure.field(0, UInt64.self), MemoryAccess(rawValue: structure.field(24)))
        if let region = known.first(where: { $0.isMapping(of: range, access, fileOffset: offset) }) {
            return .mapped(region)
        }
        return try FoundRegion(mapping: range, access: access, file: file, fileOffset: offset)
    }

    private func call(
        _ request: UInt, _ structure: inout KernelStructure, _ name: String
    ) throws(VDUSEError) {
        let result = structure.withAddress { clinux_ioctl(descriptor.rawValue, request, $0) }
        if result < 0 { throw failure(name, Errno(rawValue: -result)) }
    }

    /// A device that was given up answers EPERM to everything (`vduse_dev_broken`).
    private func failure(_ call: String, _ errno: Errno?) -> VDUSEError {
        guard errno == .notPermitted else { return VDUSEError(.call, call: call, errno: errno) }
        return .broken(name, call: call)
    }
}

extension VDUSEError {
    /// The kernel has given the device `name` up.
    static func broken(_ name: VDUSEName, call: String) -> VDUSEError {
        VDUSEError(
            .broken, call: call, errno: .notPermitted,
            context:
                "the kernel has given \(name) up, as nobody answered it for 30 s; `vdpa dev del \(name)`, then start"
                + " emu vduse again and attach it anew")
    }
}
