internal import DeviceScripts
internal import GuestMemory
internal import VhostVDPA
internal import Virtio

/// What a client has told an open vhost-vdpa file, call by call: what its rules are asked with.
struct WatchedFile {
    /// What the file offers beside the device's features, as far as it is known.
    var offered: BackendFeatures?
    /// The device's range of addresses, as far as it is known.
    var range: IOVARange?
    /// What is acknowledged.
    private(set) var acknowledged: BackendFeatures = []
    /// IOTLB_PERSIST has been acknowledged since the file was opened.
    private(set) var hasAcknowledgedPersist = false
    private(set) var features = VirtioFeatures()
    private(set) var status = DeviceStatus()
    /// The status was read since FEATURES_OK was given.
    private(set) var hasReadFeaturesOK = false
    private(set) var isSuspended = false
    /// SET_OWNER has succeeded.
    private(set) var isOwned = false
    private(set) var queues: [VringIndex: WatchedQueue] = [:]
    private(set) var maps: [AddressSpaceID: WatchedMaps] = [:]
    /// The address space of the batch that is open, and the call that began it.
    private(set) var batch: (space: AddressSpaceID, call: Int)?
    /// A message has been sent in a form that was not acknowledged, which was said once.
    private(set) var hasSentUnacknowledged = false
    /// The group of a queue, as the device has said.
    private(set) var groups: [VringIndex: VringGroup] = [:]
    /// The address space that a group was given since the last reset.
    private(set) var spaces: [VringGroup: AddressSpaceID] = [:]
    /// Calls of GET_VRING_GROUP that gave a number, which is the device's to give, by that number.
    private(set) var groupNumbers: [AddressSpaceID: Int] = [:]
    /// How often the device has begun to run.
    private(set) var startCount = 0
    /// The maps that went since the device ran last, and those that came.
    private(set) var removed = MapVolume()
    private(set) var added = MapVolume()

    /// The queues may be served.
    var isRunning: Bool { status.contains(.driverOK) && !isSuspended }

    var isPacked: Bool { features.contains(.packedRing) }

    /// Every map, of whichever address space.
    var standingMaps: [WatchedMap] { maps.values.flatMap(\.all) }

    /// The address space that the kernel takes a message for: what it says counts once IOTLB_ASID is acknowledged.
    func space(of message: ScriptMessage) -> AddressSpaceID {
        message.version == .second && acknowledged.contains(.iotlbASID) ? message.addressSpace : 0
    }

    /// The maps that a queue's addresses are translated with: all of them where the client has not asked for its group.
    func maps(of queue: VringIndex) -> WatchedMaps {
        guard !spaces.isEmpty else { return maps[0] ?? WatchedMaps() }
        if let group = groups[queue] { return maps[spaces[group] ?? 0] ?? WatchedMaps() }
        var all = WatchedMaps()
        for map in standingMaps { all.add(map) }
        return all
    }

    /// The range that a message names; 0 bytes at 0 are everything (`vhost_vdpa_process_iotlb_msg`).
    static func range(of message: ScriptMessage) -> IOVARange? {
        if message.kind == .invalidate, message.iova.rawValue == 0, message.size == 0 {
            return IOVARange(first: 0, last: IOVirtualAddress(rawValue: .max))
        }
        return IOVARange(first: message.iova, byteCount: ByteCount(rawValue: message.size))
    }

    // MARK: What a call changes

    /// Takes a call that a rule was asked about.
    mutating func take(_ moment: ClientMoment) {
        let started = moment.startedQueues
        switch moment.step {
        case .request: if moment.isSuccess { takeRequest(moment) }
        case .message(let message, _): takeMessage(message, moment)
        case .signal(let name, _): takeSignal(name)
        default: break
        }
        guard !started.isEmpty || moment.isStart else { return }
        for index in started { queues[index]?.startedAt = moment.number }
        if moment.isStart {
            startCount += 1
            (removed, added) = (MapVolume(), MapVolume())
        }
    }

    private mutating func takeRequest(_ moment: ClientMoment) {
        switch (moment.request, moment.argument) {
        case ("SET_OWNER", _): isOwned = true
        case ("GET_BACKEND_FEATURES", _):
            if case .number(let bits) = moment.answer { offered = BackendFeatures(rawValue: bits) }
        case ("SET_BACKEND_FEATURES", .number(let bits)):
            acknowledged = BackendFeatures(rawValue: bits)
            if acknowledged.contains(.iotlbPersist) { hasAcknowledgedPersist = true }
        case ("GET_IOVA_RANGE", _):
            if case .range(let first, let last) = moment.answer {
                range = IOVARange(
                    first: IOVirtualAddress(rawValue: first), last: IOVirtualAddress(rawValue: last))
            }
        case ("SET_FEATURES", .number(let bits)): features = VirtioFeatures(low: bits)
        case ("GET_STATUS", _):
            guard case .number(let bits) = moment.answer else { return }
            status = DeviceStatus(rawValue: UInt8(truncatingIfNeeded: bits))
            hasReadFeaturesOK = status.contains(.featuresOK)
        case ("SET_STATUS", _): takeStatus(moment)
        case ("SUSPEND", _): isSuspended = status.contains(.driverOK)
        case ("RESUME", _): isSuspended = false
        case ("SET_GROUP_ASID", .state(let index, let number)):
            spaces[VringGroup(rawValue: index.rawValue)] = AddressSpaceID(rawValue: number)
        case ("GET_VRING_GROUP", .state(let index, let number)):
            // No device has more spaces.
            if (1..<256).contains(number) { groupNumbers[AddressSpaceID(rawValue: number)] = moment.number }
            if case .number(let group) = moment.answer {
                groups[index] = VringGroup(rawValue: UInt32(truncatingIfNeeded: group))
            }
        default: takeQueueRequest(moment)
        }
    }

    private mutating func takeStatus(_ moment: ClientMoment) {
        guard let new = moment.newStatus else { return }
        if new.contains(.featuresOK), !status.contains(.featuresOK) { hasReadFeaturesOK = false }
        status = new
        guard new == .reset else { return }
        isSuspended = false
        hasReadFeaturesOK = false
        for index in queues.keys { queues[index]?.reset() }
        // vdpasim_do_reset, mlx5_vdpa_compat_reset: every group is in space 0 again.
        spaces = [:]
        guard !acknowledged.contains(.iotlbPersist) else { return }
        for space in maps.keys { maps[space]?.markLost(at: moment.number) }
    }

    private mutating func takeQueueRequest(_ moment: ClientMoment) {
        switch (moment.request, moment.argument) {
        case ("SET_VRING_NUM", .state(let index, let number)):
            queues[index, default: WatchedQueue()].size = number
        case ("SET_VRING_ADDR", .addresses(let addresses)):
            queues[addresses.index, default: WatchedQueue()].addresses = addresses
        case ("SET_VRING_BASE", .state(let index, let number)):
            queues[index, default: WatchedQueue()].base = (number, moment.number)
        case ("GET_VRING_BASE", .state(let index, _)):
            guard case .number(let base) = moment.answer else { return }
            queues[index, default: WatchedQueue()].returned = UInt32(truncatingIfNeeded: base)
        case ("SET_VRING_ENABLE", .state(let index, let number)):
            let gap = number == 0 ? nil : firstGap(of: index)
            queues[index, default: WatchedQueue()].isEnabled = number != 0
            queues[index]?.enabledUnmapped = gap.map {
                (moment.number, "no map has \($0.address) yet, of the \($0.name) of queue \(index)")
            }
        case ("SET_VRING_CALL", .file(let index, let descriptor)):
            queues[index, default: WatchedQueue()].hasCall = descriptor != .none
            queues[index]?.callIsCurrent = true
        case ("SET_VRING_KICK", .file(let index, let descriptor)):
            takeKick(index, descriptor)
        default: break
        }
    }

    /// The kernel looks at an eventfd that is newly bound, and kicks where it was signalled; at the same one it does not
    /// look again (`vhost_poll_start`, drivers/vhost/vhost.c).
    private mutating func takeKick(_ index: VringIndex, _ descriptor: ScriptDescriptor) {
        let name: ScriptName? = if case .eventFD(let name) = descriptor { name } else { nil }
        var queue = queues[index, default: WatchedQueue()]
        if let name, name != queue.kick, queue.startedAt != nil { queue.kickedSinceStart = true }
        queue.kick = name
        queues[index] = queue
    }

    private mutating func takeSignal(_ name: ScriptName) {
        for index in queues.keys where queues[index]?.kick == name {
            if isRunning, queues[index]?.startedAt != nil {
                queues[index]?.kickedSinceStart = true
            } else {
                queues[index]?.kickedBeforeStart = true
            }
        }
    }

    private mutating func takeMessage(_ message: ScriptMessage, _ moment: ClientMoment) {
        guard moment.isSuccess else { return }
        if message.isUnacknowledged(by: acknowledged) { hasSentUnacknowledged = true }
        let space = space(of: message)
        switch message.kind {
        case .update:
            guard let range = Self.range(of: message) else { return }
            let map = WatchedMap(range: range, memory: message.memory, call: moment.number)
            maps[space, default: WatchedMaps()].add(map)
            added.add([map])
        case .invalidate:
            guard let range = Self.range(of: message) else { return }
            removed.add(maps[space]?.touched(by: range) ?? [])
            maps[space]?.remove(touching: range)
        case .batchBegin: batch = (space, moment.number)
        case .batchEnd: batch = nil
        default: break
        }
    }
}

extension ScriptMessage {
    /// Whether its form is one that the client has not acknowledged.
    func isUnacknowledged(by features: BackendFeatures) -> Bool {
        if kind == .batchBegin, !features.contains(.iotlbBatch) { return true }
        return version == .second && !features.contains(.messageV2)
    }
}
