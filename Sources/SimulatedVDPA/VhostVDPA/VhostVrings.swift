internal import CLinux
internal import GuestMemory
internal import SystemPackage
internal import VhostVDPA
internal import VirtQueue
internal import Virtio

/// What vhost itself keeps of every queue, and the requests that name one: `vhost_vdpa_vring_ioctl` and
/// `vhost_vring_ioctl` over the parent.
///
/// It survives every status reset and ends with the file. It is a class because a parent that is called may make a
/// request itself. Control thread only.
final class VhostVrings {
    /// vhost's copy, apart from the device's.
    private struct Vring {
        var size: UInt32 = 0
        var addresses = RingAddresses.zero
        /// The last base set or read.
        var base: UInt32 = 0
        var busyLoopTimeout: UInt32 = 0
        var kick: EventFile?
        var call: EventFile?
        var error: EventFile?
    }

    private let parent: any ParentDriver
    private let description: ParentDescription
    private let kernel: KernelVersion
    private var vrings: [Vring]
    /// RING_PACKED is among the features of the last SET_FEATURES, as the parent has kept them: a status reset does not
    /// touch it.
    private var isPacked = false
    /// Whose request it is.
    private var process = CallerProcess.this

    init(parent: any ParentDriver, description: ParentDescription, kernel: KernelVersion) {
        self.parent = parent
        self.description = description
        self.kernel = kernel
        vrings = Array(repeating: Vring(), count: description.queueCount)
    }

    /// Takes the kicks from the device, of the queues that have one: the first half of a close.
    func unbindKicks() {
        for queue in vrings.indices where vrings[queue].kick != nil { parent.setKick(nil, queue: queue) }
    }

    /// Lets go of everything, eventfds included: the second half.
    func forget() {
        vrings = Array(repeating: Vring(), count: vrings.count)
        isPacked = false
    }

    /// A SET_FEATURES has succeeded.
    func noteFeatures() { isPacked = parent.driverFeatures.contains(.packedRing) }

    /// One request of the owner's, in the kernel's order: index, range, request. `isSuspended` is the file's.
    func perform(
        _ request: UInt, _ argument: UInt, from process: CallerProcess, isSuspended: Bool
    ) throws(Errno) {
        self.process = process
        // The size comes with the index since a queue's maximum is looked at: both are read before either is.
        if request == clinux_vhost_set_vring_num, kernel.readsRingSizeWithIndex { _ = try number(argument) }
        let index = try process.memory.load(UInt32.self, at: argument)
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
        case clinux_vhost_set_vring_base: try setBase(queue, argument, isSuspended: isSuspended)
        case clinux_vhost_set_vring_num: try setSize(queue, argument)
        case clinux_vhost_set_vring_addr: try setAddresses(queue, argument, isSuspended: isSuspended)
        case clinux_vhost_set_vring_kick: try setKick(queue, argument)
        case clinux_vhost_set_vring_call:
            let call = try eventFile(argument)
            parent.setCallback(call, queue: queue)
            vrings[queue].call = call
        case clinux_vhost_set_vring_err: vrings[queue].error = try eventFile(argument)
        case BusyLoopRequest.set: vrings[queue].busyLoopTimeout = try number(argument)
        case BusyLoopRequest.get: try storeState(index, vrings[queue].busyLoopTimeout, at: argument)
        default: throw .unknownRequest
        }
    }

    // MARK: The ring

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
    private func setAddresses(_ queue: Int, _ argument: UInt, isSuspended: Bool) throws(Errno) {
        let bytes = try process.memory.bytes(at: argument, count: 40)  // struct vhost_vring_addr
        let flags = bytes.integer(UInt32.self, at: 4)
        guard flags & ~1 == 0 else { throw .operationNotSupported }  // VHOST_VRING_F_LOG
        let descriptors = bytes.integer(UInt64.self, at: 8)
        let used = bytes.integer(UInt64.self, at: 16)
        let avail = bytes.integer(UInt64.self, at: 24)
        let log = bytes.integer(UInt64.self, at: 32)
        guard avail % 2 == 0, used % 4 == 0, log % 4 == 0 else { throw .invalidArgument }
        vrings[queue].addresses = RingAddresses(
            descriptorArea: IOVirtualAddress(rawValue: descriptors),
            driverArea: IOVirtualAddress(rawValue: avail), deviceArea: IOVirtualAddress(rawValue: used))
        try checkRingMayChange(isSuspended: isSuspended)
        do throws(Errno) {
            try parent.setQueueAddresses(vrings[queue].addresses, queue: queue)
        } catch {
            throw .invalidArgument
        }
    }

    /// The base is kept like the addresses. A packed ring's is any 32 bits.
    private func setBase(_ queue: Int, _ argument: UInt, isSuspended: Bool) throws(Errno) {
        let base = try number(argument)
        if isPacked {
            vrings[queue].base = base
            try checkRingMayChange(isSuspended: isSuspended)
            return try parent.setPackedQueueState(VringBase(rawValue: base), queue: queue)
        }
        guard let state = QueueState(VringBase(rawValue: base), format: .split) else {
            throw .invalidArgument
        }
        vrings[queue].base = base
        try checkRingMayChange(isSuspended: isSuspended)
        try parent.setQueueState(state, queue: queue)
    }

    private func checkRingMayChange(isSuspended: Bool) throws(Errno) {
        guard kernel.refusesRingChangeWhileRunning else { return }
        if parent.status.contains(.driverOK), !isSuspended { throw .invalidArgument }
    }

    private func getBase(_ queue: Int, _ argument: UInt) throws(Errno) {
        vrings[queue].base = try parent.queueState(queue).base.rawValue
        try storeState(UInt32(queue), vrings[queue].base, at: argument)
    }

    /// Binding the eventfd that is bound already starts no new poll, so a signal it holds goes unseen.
    private func setKick(_ queue: Int, _ argument: UInt) throws(Errno) {
        let file = try eventFile(argument)
        let isSame = file?.identifier == vrings[queue].kick?.identifier
        guard !isSame else { return }
        parent.setKick(file, queue: queue)
        vrings[queue].kick = file
    }

    // MARK: Groups

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

    // MARK: The caller's structs

    /// The second word of a `struct vhost_vring_state`; all of it must be readable.
    private func number(_ argument: UInt) throws(Errno) -> UInt32 {
        UInt32(truncatingIfNeeded: try process.memory.load(UInt64.self, at: argument) >> 32)
    }

    /// What the second word of a `struct vhost_vring_file` names.
    private func eventFile(_ argument: UInt) throws(Errno) -> EventFile? {
        try EventFile.named(Int32(bitPattern: try number(argument)), of: process)
    }

    private func storeState(_ index: UInt32, _ number: UInt32, at argument: UInt) throws(Errno) {
        try process.memory.store(UInt64(index) | UInt64(number) << 32, at: argument)
    }
}

/// The generic vhost layer takes a busy-loop timeout for any device; vhost-vdpa never looks at it.
private enum BusyLoopRequest {
    static let set: UInt = 0x4008_af23  // VHOST_SET_VRING_BUSYLOOP_TIMEOUT
    static let get: UInt = 0x4008_af24  // VHOST_GET_VRING_BUSYLOOP_TIMEOUT
}
