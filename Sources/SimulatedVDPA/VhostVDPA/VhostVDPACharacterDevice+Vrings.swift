internal import CLinux
internal import GuestMemory
internal import SystemPackage
internal import VhostVDPA
internal import VirtQueue
internal import Virtio

/// The requests that name a queue, in the kernel's order: index, range, request.
extension VhostVDPACharacterDevice {
    func performVring(_ request: UInt, _ argument: UInt) throws(Errno) {
        let index = try CallerMemory.load(UInt32.self, at: argument)
        guard index < UInt32(vrings.count) else { throw .noBufferSpace }
        let queue = Int(index)
        switch request {
        case clinux_vdpa_set_vring_enable:
            parent.setQueueReady(try number(argument) != 0, queue: queue)
        case clinux_vdpa_get_vring_group: try getGroup(ofQueue: queue, argument)
        case clinux_vdpa_get_vring_desc_group where kernel.hasDescriptorGroupRequest:
            try getDescriptorGroup(ofQueue: queue, argument)
        case clinux_vdpa_set_group_asid: try setGroupAddressSpace(index, argument)
        case clinux_vdpa_get_vring_size where kernel.hasVringSizeRequest:
            guard description.operations.contains(.queueSize) else { throw .operationNotSupported }
            try storeState(index, parent.queueSize(queue), at: argument)
        case clinux_vhost_get_vring_base: try getBase(queue, argument)
        case clinux_vhost_set_vring_base: try setBase(queue, argument)
        case clinux_vhost_set_vring_num: try setSize(queue, argument)
        case clinux_vhost_set_vring_addr: try setAddresses(queue, argument)
        case clinux_vhost_set_vring_kick: try setKick(queue, argument)
        case clinux_vhost_set_vring_call:
            let call = try eventFile(try descriptor(argument))
            parent.setCallback(call, queue: queue)
            vrings[queue].call = call
        case clinux_vhost_set_vring_err:
            vrings[queue].error = try eventFile(try descriptor(argument))
        case BusyLoopRequest.set: vrings[queue].busyLoopTimeout = try number(argument)
        case BusyLoopRequest.get: try storeState(index, vrings[queue].busyLoopTimeout, at: argument)
        default: throw .unknownRequest
        }
    }

    private func setSize(_ queue: Int, _ argument: UInt) throws(Errno) {
        let size = try number(argument)
        guard size > 0, size <= 0xffff, size.nonzeroBitCount == 1 else { throw .invalidArgument }
        if kernel.refusesOversizedQueues, size > UInt32(description.maximumQueueSize) {
            throw .invalidArgument
        }
        vrings[queue].size = size
        parent.setQueueSize(size, queue: queue)
    }

    /// vhost keeps the addresses even where the device may not be told of them.
    private func setAddresses(_ queue: Int, _ argument: UInt) throws(Errno) {
        let bytes = try CallerMemory.bytes(at: argument, count: 40)  // struct vhost_vring_addr
        func word(_ offset: Int) -> UInt64 {
            (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << (8 * UInt64($1)) }
        }
        let flags = UInt32(truncatingIfNeeded: word(0) >> 32)
        guard flags & ~1 == 0 else { throw .operationNotSupported }  // VHOST_VRING_F_LOG
        let (descriptors, used, avail, log) = (word(8), word(16), word(24), word(32))
        guard avail % 2 == 0, used % 4 == 0, log % 4 == 0 else { throw .invalidArgument }
        vrings[queue].addresses = RingAddresses(
            descriptorArea: IOVirtualAddress(rawValue: descriptors),
            driverArea: IOVirtualAddress(rawValue: avail), deviceArea: IOVirtualAddress(rawValue: used))
        try checkQueueMayChange()
        do throws(Errno) {
            try parent.setQueueAddresses(vrings[queue].addresses, queue: queue)
        } catch {
            throw .invalidArgument
        }
    }

    private func setBase(_ queue: Int, _ argument: UInt) throws(Errno) {
        let base = try number(argument)
        let state = QueueState(VringBase(rawValue: base), format: .split)
        guard case .split(let nextAvail)? = state else { throw .invalidArgument }
        vrings[queue].base = base
        try checkQueueMayChange()
        try parent.setQueueBase(nextAvail, queue: queue)
    }

    private func getBase(_ queue: Int, _ argument: UInt) throws(Errno) {
        let base = UInt32(try parent.queueBase(queue))
        vrings[queue].base = base
        try storeState(UInt32(queue), base, at: argument)
    }

    private func checkQueueMayChange() throws(Errno) {
        guard kernel.refusesRingChangeWhileRunning else { return }
        if parent.status.contains(.driverOK), !isSuspended { throw .invalidArgument }
    }

    /// Binding the eventfd that is bound already starts no new poll, so a signal it holds goes unseen.
    private func setKick(_ queue: Int, _ argument: UInt) throws(Errno) {
        let file = try eventFile(try descriptor(argument))
        let isSame = file?.identifier == vrings[queue].kick?.identifier
        guard !isSame else { return }
        parent.setKick(file, queue: queue)
        vrings[queue].kick = file
    }

    private func getGroup(ofQueue queue: Int, _ argument: UInt) throws(Errno) {
        guard description.operations.contains(.queueGroup) else { throw .operationNotSupported }
        try storeGroup(parent.group(ofQueue: queue), ofQueue: queue, at: argument)
    }

    private func getDescriptorGroup(ofQueue queue: Int, _ argument: UInt) throws(Errno) {
        guard description.operations.contains(.descriptorGroup) else { throw .operationNotSupported }
        try storeGroup(parent.descriptorGroup(ofQueue: queue), ofQueue: queue, at: argument)
    }

    private func storeGroup(_ group: UInt32, ofQueue queue: Int, at argument: UInt) throws(Errno) {
        guard group < UInt32(description.groupCount) else { throw .ioError }
        try storeState(UInt32(queue), group, at: argument)
    }

    /// The index is a group here, and still has to be below the number of queues.
    private func setGroupAddressSpace(_ group: UInt32, _ argument: UInt) throws(Errno) {
        let space = try number(argument)
        guard group < UInt32(description.groupCount), space < UInt32(description.addressSpaceCount) else {
            throw .invalidArgument
        }
        if kernel.refusesGroupChangeAfterDriverOK, parent.status.contains(.driverOK) { throw .resourceBusy }
        guard description.operations.contains(.setGroupAddressSpace) else { throw .operationNotSupported }
        try parent.setGroup(group, addressSpace: space)
    }

    /// The second word of a `struct vhost_vring_state`; all of it must be readable.
    private func number(_ argument: UInt) throws(Errno) -> UInt32 {
        UInt32(truncatingIfNeeded: try CallerMemory.load(UInt64.self, at: argument) >> 32)
    }

    /// The second word of a `struct vhost_vring_file`.
    private func descriptor(_ argument: UInt) throws(Errno) -> Int32 {
        Int32(bitPattern: try number(argument))
    }

    private func storeState(_ index: UInt32, _ number: UInt32, at argument: UInt) throws(Errno) {
        try CallerMemory.store(UInt64(index) | UInt64(number) << 32, at: argument)
    }
}

/// The generic vhost layer takes a busy-loop timeout for any device; vhost-vdpa never looks at it.
private enum BusyLoopRequest {
    static let set: UInt = 0x4008_af23  // VHOST_SET_VRING_BUSYLOOP_TIMEOUT
    static let get: UInt = 0x4008_af24  // VHOST_GET_VRING_BUSYLOOP_TIMEOUT
}
