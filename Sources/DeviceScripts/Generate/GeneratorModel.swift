internal import GuestMemory
internal import VhostVDPA

/// What the process and the device are now, as far as a generator foresees it: of each step, what the kernel does with it
/// (drivers/vhost/vdpa.c), whatever parent it has.
struct GeneratorModel {
    enum Owner: Hashable { case nobody, process, child }

    let profile: ScriptDeviceProfile
    private(set) var file: ScriptName?
    private(set) var owner = Owner.nobody
    private(set) var backendFeatures: BackendFeatures = []
    private(set) var status: UInt8 = 0
    private(set) var isSuspended = false
    private(set) var queues: [GeneratorQueue]
    /// The address spaces that a group may be in.
    private(set) var groupSpaces: [Set<UInt32>]
    private(set) var maps = GeneratorMaps()
    private(set) var memories: [ScriptName: GeneratorMemory] = [:]
    /// In the order in which they lie in the process.
    var memoryOrder: [ScriptName] = []
    private(set) var events: [ScriptName] = []
    /// Eventfds whose counter may be near its end. A device's call adds to one of them further than a process can.
    private(set) var fullEvents: Set<ScriptName> = []
    /// Eventfds whose counter is not 0: bound as a kick they kick at once.
    private(set) var signalledEvents: Set<ScriptName> = []
    /// What SET_CONFIG_CALL has bound.
    private(set) var configurationCall: ScriptName?
    /// Features without ACCESS_PLATFORM may be the device's, which then may keep neither FEATURES_OK nor DRIVER_OK.
    private(set) var mayRefuseStatus = false
    /// Every status bit that was asked for since the last reset.
    private var askedStatus: UInt8 = 0
    /// What is in the rings' memory.
    private(set) var image = GeneratorRingImage()
    /// A frame or a command may stand in a ring.
    private(set) var hasWork = false
    /// Memory that a map names has gone, or permits less than before.
    private(set) var hasLostMemory = false
    /// A ring may lie in memory that is not the rings' own.
    var hasForeignRings: Bool {
        queues.contains { queue in
            [queue.place, queue.ring?.place].contains { if case .foreign = $0 { true } else { false } }
        }
    }

    init(_ profile: ScriptDeviceProfile) {
        self.profile = profile
        queues = Array(repeating: GeneratorQueue(), count: Int(min(profile.queueCount, 64)))
        groupSpaces = Array(repeating: [0], count: Int(min(profile.groupCount, 64)))
    }

    var runs: Bool { status & 4 != 0 }
    var hasFeatures: Bool { status & 8 != 0 }
    var persists: Bool { backendFeatures.contains(.iotlbPersist) }
    var page: UInt64 { UInt64(ScriptMemory.pageByteCount) }

    // MARK: A step is made

    /// What the step leaves behind.
    mutating func apply(_ step: ScriptStep) {
        switch step {
        case .open(let name): open(name)
        case .close(let name): if name == file { close() }
        case .request(let request, let name, let caller): if name == file { apply(request, caller) }
        case .message(let message, let name): if name == file { apply(message) }
        case .memory(let name, let count, let kind):
            memories[name] = GeneratorMemory(byteCount: count, kind: kind)
            memoryOrder.append(name)
        case .protect(let name, let offset, let count, let protection):
            let page: GeneratorMemory.Page =
                switch protection {
                case .none: .none
                case .read: .read
                case .write: .write
                }
            change(name, offset, count.rawValue, page)
        case .unmap(let name, let offset, let count): change(name, offset, count.rawValue, .hole)
        case .eventFD(let name, let count):
            events.append(name)
            if Self.fills(count) { fullEvents.insert(name) }
            if count > 0 { signalledEvents.insert(name) }
        case .signal(let name, let count):
            if Self.fills(count) { fullEvents.insert(name) }
            signalledEvents.insert(name)
        case .take(let name):
            fullEvents.remove(name)
            signalledEvents.remove(name)
        case .store(let name, let offset, let bytes):
            if name == GeneratorRings.memory { store(bytes, at: offset) }
        case .write, .writeFrom, .map, .ring, .load, .settle, .pause: break
        }
    }

    /// An avail ring that is written whole is as long as its queue; an index alone says that there is something in it.
    private mutating func store(_ bytes: [UInt8], at offset: UInt64) {
        image.store(bytes, at: offset)
        for queue in queues.indices.prefix(GeneratorRings.queueCount) {
            let avail = GeneratorRings.avail(queue)
            if offset == avail, bytes.count >= 4 {
                queues[queue].writtenSize = UInt16(clamping: (bytes.count - 4) / 2)
                queues[queue].avail = UInt16(truncatingIfNeeded: Array(bytes[2..<4]).littleEndianNumber)
            } else if offset == avail + 2, bytes.count == 2 {
                queues[queue].avail = UInt16(truncatingIfNeeded: bytes.littleEndianNumber)
                hasWork = true
            }
        }
    }

    private mutating func open(_ name: ScriptName) {
        guard file == nil else { return }
        file = name
        owner = .nobody
        backendFeatures = []
        configurationCall = nil
        reset()
        for index in queues.indices { queues[index] = GeneratorQueue() }
    }

    /// The device is reset while the acknowledgement holds; then the maps go.
    private mutating func close() {
        reset()
        maps.close()
        file = nil
        for name in memories.keys { memories[name]?.isMapped = false }
        hasLostMemory = false
    }

    private mutating func reset() {
        status = 0
        askedStatus = 0
        mayRefuseStatus = false
        isSuspended = false
        maps.reset(persists: persists)
        for index in queues.indices { queues[index].reset() }
        groupSpaces = Array(repeating: [0], count: groupSpaces.count)
    }

    private mutating func change(
        _ name: ScriptName, _ offset: UInt64, _ size: UInt64, _ page: GeneratorMemory.Page
    ) {
        guard let memory = memories[name], let indexes = memory.indexes(offset, size) else { return }
        if memory.isMapped { hasLostMemory = true }
        for index in indexes where page == .hole || memory.pages[index] != .hole {
            memories[name]?.pages[index] = page
        }
    }

    // MARK: Requests

    private mutating func apply(_ request: ScriptRequest, _ caller: ScriptCaller) {
        guard let kind = request.kind else { return }
        switch (kind.name, request.argument) {
        case ("SET_OWNER", _): if owner == .nobody { owner = caller == .process ? .process : .child }
        case ("SET_BACKEND_FEATURES", .number(let bits)): setBackendFeatures(BackendFeatures(rawValue: bits))
        case ("SET_STATUS", .number(let number)): setStatus(UInt8(truncatingIfNeeded: number))
        case ("SET_FEATURES", .number(let bits)): setFeatures(bits)
        case ("SET_CONFIG_CALL", .descriptor(let descriptor)): Self.bind(descriptor, to: &configurationCall)
        case ("SUSPEND", _): if runs, profile.offers(.suspend) { isSuspended = true }
        case ("RESUME", _): if runs, profile.offers(.resume) { isSuspended = false }
        case (_, .state(let index, let number)):
            if caller == .process, owner == .process { apply(kind, index, number) }
        case ("SET_VRING_ADDR", .addresses(let addresses)):
            if caller == .process, owner == .process { apply(addresses) }
        case ("SET_VRING_KICK", .file(let index, let descriptor)):
            withQueue(index, caller) { Self.bind(descriptor, to: &$0.kick) }
        case ("SET_VRING_CALL", .file(let index, let descriptor)):
            withQueue(index, caller) { Self.bind(descriptor, to: &$0.call) }
        default: break
        }
    }

    /// One that is refused leaves bound what was.
    private static func bind(_ descriptor: ScriptDescriptor, to place: inout ScriptName?) {
        switch descriptor {
        case .none: place = nil
        case .eventFD(let name): place = name
        case .closed, .nullDevice: break
        }
    }

    private mutating func withQueue(
        _ index: VringIndex, _ caller: ScriptCaller, _ body: (inout GeneratorQueue) -> Void
    ) {
        guard caller == .process, owner == .process, index.rawValue < UInt32(queues.count) else { return }
        body(&queues[Int(index.rawValue)])
    }

    /// `vhost_vdpa_unlocked_ioctl`, VHOST_SET_BACKEND_FEATURES.
    private mutating func setBackendFeatures(_ wanted: BackendFeatures) {
        guard wanted.rawValue & ~0x1fe == 0 else { return }
        let asked: BackendFeatures = [.suspend, .resume, .descriptorASID, .iotlbPersist]
        guard profile.offers(wanted.intersection(asked)) else { return }
        if wanted.contains(.descriptorASID), !wanted.contains(.iotlbASID) { return }
        backendFeatures = wanted
    }

    private mutating func setFeatures(_ bits: UInt64) {
        if bits & 1 << 33 == 0 {
            mayRefuseStatus = true
        } else if askedStatus & 8 == 0 {
            mayRefuseStatus = false
        }
    }

    /// Whether what is added to a counter may bring it to its end. 2⁶⁴-1 is refused.
    static func fills(_ count: UInt64) -> Bool { count >= 1 << 63 && count < .max }

    /// Whether the device signals the eventfd.
    func isCall(_ name: ScriptName) -> Bool {
        configurationCall == name || queues.contains { $0.call == name }
    }

    private mutating func setStatus(_ wanted: UInt8) {
        askedStatus |= wanted
        guard wanted == 0 || status & ~wanted == 0 else { return }
        guard wanted == 0 else {
            status = wanted
            return
        }
        reset()
    }

    private mutating func apply(_ kind: ScriptRequestKind, _ index: VringIndex, _ number: UInt32) {
        guard index.rawValue < UInt32(queues.count) else { return }
        let queue = Int(index.rawValue)
        switch kind.name {
        case "SET_VRING_NUM":
            if number > 0, number <= 0xffff, number.nonzeroBitCount == 1 { queues[queue].size = number }
        case "SET_VRING_BASE":
            // A device that gives no positions takes none but the one that it has.
            guard profile.givesPositions else { break }
            // An older kernel takes it while the queue runs, too, and a packed ring's number is another one.
            let isIn = queues[queue].low.map {
                UInt16(truncatingIfNeeded: number) &- $0 <= queues[queue].avail &- $0
            }
            if number > 0xffff || runs || queues[queue].isEnabled {
                if isIn != true { queues[queue].low = nil }
            } else {
                queues[queue].low = UInt16(number)
            }
        case "SET_VRING_ENABLE": queues[queue].enable(number != 0, again: profile.sparesKernel)
        case "SET_GROUP_ASID":
            // Some kernels refuse it while the device runs.
            if queue < groupSpaces.count, number < profile.addressSpaceCount {
                if runs { groupSpaces[queue].insert(number) } else { groupSpaces[queue] = [0, number] }
            }
        default: break
        }
    }

    private mutating func apply(_ addresses: ScriptVringAddresses) {
        guard addresses.index.rawValue < UInt32(queues.count), addresses.flags & ~1 == 0,
            addresses.avail.rawValue % 2 == 0, addresses.used.rawValue % 4 == 0,
            addresses.log.rawValue % 4 == 0
        else { return }
        let queue = Int(addresses.index.rawValue)
        let areas = [addresses.descriptors, addresses.avail, addresses.used].map(\.rawValue)
        if queue < GeneratorRings.queueCount,
            areas
                == [GeneratorRings.ring(queue), GeneratorRings.avail(queue), GeneratorRings.used(queue)].map({
                    GeneratorRings.address($0).rawValue
                })
        {
            queues[queue].place = .home
        } else {
            let (last, wraps) = (areas.max() ?? 0).addingReportingOverflow(0x1_0000)
            queues[queue].place = .foreign(first: wraps ? 0 : areas.min() ?? 0, last: wraps ? .max : last)
        }
    }

    // MARK: Messages

    /// `vhost_vdpa_process_iotlb_msg`.
    private mutating func apply(_ message: ScriptMessage) {
        guard message.kind != .update || message.size > 0 else { return }
        guard owner == .process else { return }
        let space =
            message.version == .second && backendFeatures.contains(.iotlbASID)
            ? message.addressSpace.rawValue : 0
        guard maps.enter(message.kind, space, of: profile.addressSpaceCount) else { return }
        switch message.kind {
        case .update: update(message, space)
        case .invalidate: maps.remove(space, from: message.iova.rawValue, size: message.size)
        case .batchBegin: maps.beginBatch(space)
        case .batchEnd: maps.endBatch(space)
        case .miss, .accessFail: break
        }
    }

    /// The space that a message is about.
    func space(of message: ScriptMessage) -> UInt32 {
        message.version == .second && backendFeatures.contains(.iotlbASID) ? message.addressSpace.rawValue : 0
    }

    /// The last address of the range; `nil` where the kernel refuses it.
    func lastAddress(_ message: ScriptMessage) -> UInt64? {
        let iova = message.iova.rawValue
        let (last, wraps) = iova.addingReportingOverflow(message.size &- 1)
        guard message.size > 0, !wraps, iova >= profile.firstAddress.rawValue,
            last <= profile.lastAddress.rawValue
        else { return nil }
        return last
    }

    private mutating func update(_ message: ScriptMessage, _ space: UInt32) {
        guard let last = lastAddress(message), !maps.overlaps(space, message.iova.rawValue, last) else {
            return
        }
        if case .memory(let name, _) = message.memory { memories[name]?.isMapped = true }
        if profile.mapsVirtualAddresses {
            mapVirtual(message, space)
        } else if let entry = pinned(message, last) {
            maps.add([entry], to: space)
        }
    }

    /// `vhost_vdpa_va_map`. Where nothing lies above the address the first step fails, and of address 0 everything goes.
    private mutating func mapVirtual(_ message: ScriptMessage, _ space: UInt32) {
        guard case .memory(let name, let start) = message.memory else {
            guard case .number(let address) = message.memory else { return }
            if address.rawValue < Self.userEnd {
                return
            } else if message.iova.rawValue == 0 {
                maps.remove(space, from: 0, size: 0)
            }
            return
        }
        var entries: [GeneratorEntry] = []
        guard let memory = memories[name] else { return }
        var (offset, iova, left) = (start, message.iova.rawValue, message.size)
        if start > memory.byteCount {
            // It begins below the memory: the entry begins in the hole.
            let entry = GeneratorEntry(
                first: iova, last: iova + (left - 1), memory: nil, offset: 0, access: message.access)
            if memory.kind != .private { maps.add([entry], to: space) }
            return
        }
        while left > 0 {
            let end = memory.pieceEnd(at: offset)
            let step = end.map { min(left, $0 - offset) } ?? left
            let isShared = end == nil ? nextIsShared(after: name) : memory.kind != .private
            if isShared {
                entries.append(
                    GeneratorEntry(
                        first: iova, last: iova + (step - 1), memory: name, offset: offset,
                        access: message.access)
                )
            }
            left -= step
            offset += step
            iova &+= step
        }
        maps.add(entries, to: space)
    }

    /// The memory that lies next behind a script's.
    private func next(after name: ScriptName) -> GeneratorMemory? {
        guard let index = memoryOrder.firstIndex(of: name) else { return nil }
        return memoryOrder[(index + 1)...].lazy.compactMap { memories[$0] }.first {
            $0.pages.contains { $0 != .hole }
        }
    }

    func hasMemory(after name: ScriptName) -> Bool { next(after: name) != nil }

    /// Behind the last piece of memory the next one counts, however far it is.
    private func nextIsShared(after name: ScriptName) -> Bool {
        next(after: name).map { $0.kind != .private } ?? false
    }

    /// `vhost_vdpa_pa_map`, of one page.
    private func pinned(_ message: ScriptMessage, _ last: UInt64) -> GeneratorEntry? {
        guard case .memory(let name, let offset) = message.memory, let memory = memories[name] else {
            return nil
        }
        let (iova, start) = (message.iova.rawValue / page * page, offset / page * page)
        let pages = (message.size &+ message.iova.rawValue % page &+ page &- 1) / page
        guard memory.permits(start, pages * page, writing: message.access & 2 != 0) else { return nil }
        return GeneratorEntry(
            first: iova, last: iova + (pages * page - 1), memory: name, offset: start, access: message.access)
    }

    /// No process has anything from here on.
    static let userEnd: UInt64 = 0x8000_0000_0000
}
