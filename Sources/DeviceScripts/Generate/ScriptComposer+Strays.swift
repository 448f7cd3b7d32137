internal import GuestMemory
internal import VhostVDPA

/// Calls that need not make sense now: any request, with any argument at its borders, by anybody; any message.
extension ScriptComposer {
    // MARK: Requests

    /// Any request.
    mutating func strayCall() {
        if dice.chance(8) { return unknownRequest() }
        let kind = dice.pick(ScriptRequestKind.all)
        if dice.chance(10) { return badPointer(kind) }
        let caller: ScriptCaller = dice.chance(8) ? .child : .process
        // A reset in the middle is asked for often enough, and a child that owns the device leaves nothing to do.
        if caller == .child, kind.name == "SET_OWNER", model.owner == .nobody, dice.chance(70) { return }
        emit(.request(ScriptRequest(number: kind.number, argument(kind)), file: file, by: caller))
    }

    private mutating func unknownRequest() {
        let number = dice.pick(weighing: [
            (3, UInt(0xaf00) + UInt(dice.below(256))), (2, 0x4008_af00 + UInt(dice.below(256))),
            (2, 0xc008_af00 + UInt(dice.below(256))), (1, 0x8008_af00 + UInt(dice.below(256))), (1, 0x5401),
        ])
        // Named or not, what is behind the address is zero: queue 0, feature 0. A status of zero is a reset, which has a
        // name; what is known by another size is not known.
        guard ScriptRequestKind.numbered(number) == nil else { return }
        let argument: ScriptRequest.Argument =
            switch dice.below(3) {
            case 0: .nothing
            case 1: .bytes([UInt8](repeating: 0, count: 16))
            default: .pointer(.number(HostAddress(rawValue: 0)))
            }
        emit(
            .request(
                ScriptRequest(number: number, argument), file: file, by: dice.chance(8) ? .child : .process))
    }

    /// Where nothing can be read or written, or too little.
    private mutating func badPointer(_ kind: ScriptRequestKind) {
        guard kind.shape != .nothing else { return }
        let size = kind.number >> 16 & 0x3fff
        var pointers: [ScriptPointer] = [
            .number(HostAddress(rawValue: 0)), .number(HostAddress(rawValue: 0x1000)),
            .number(HostAddress(rawValue: 0xffff_8880_0000_0000)), .number(HostAddress(rawValue: .max)),
        ]
        // Half of the struct lies behind the end: what can be read is the index.
        if let name = edge(), let memory = model.memories[name] {
            let readable = UInt64(min(4, size > 0 ? size - 1 : 0))
            if readable == 4 {
                let index = VringIndex(rawValue: UInt32(truncatingIfNeeded: queueIndex()))
                emit(
                    .store(name, offset: memory.byteCount - readable, bytes: index.rawValue.littleEndianBytes)
                )
            }
            pointers += Array(repeating: .memory(name, offset: memory.byteCount - readable), count: 4)
        }
        // A GET into what may only be read. A SET would read zeroes from there, and mean them.
        switch kind.shape {
        case .get, .getState, .getRange:
            if let name = model.memories.keys.sorted(by: { $0.rawValue < $1.rawValue }).first(where: {
                model.memories[$0]?.pages[0] == .read
            }) {
                pointers += [.memory(name, offset: 0), .memory(name, offset: 0)]
            }
        default: break
        }
        emit(
            .request(
                ScriptRequest(number: kind.number, .pointer(dice.pick(pointers))), file: file,
                by: dice.chance(5) ? .child : .process))
    }

    /// Memory whose last page can be written.
    private func edge() -> ScriptName? {
        model.memories.keys.sorted { $0.rawValue < $1.rawValue }.first { name in
            name != GeneratorRings.memory && model.memories[name]?.pages.last == .write
                && model.memories[name]?.isMapped == false
        }
    }

    private mutating func queueIndex() -> UInt64 {
        dice.chance(75)
            ? UInt64(dice.below(max(1, model.queues.count)))
            : dice.border([UInt64(profile.queueCount), UInt64(profile.groupCount)])
    }

    private mutating func argument(_ kind: ScriptRequestKind) -> ScriptRequest.Argument {
        switch kind.shape {
        case .nothing, .get, .getRange: .nothing
        case .set(let count):
            .number(number(kind.name) & (count == 8 ? .max : (1 << (8 * UInt64(count))) - 1))
        case .setState, .getState: state(kind)
        case .file: .file(index: VringIndex(rawValue: UInt32(queueIndex())), descriptor(kind.name))
        case .addresses: addresses()
        case .descriptor: .descriptor(descriptor(kind.name))
        case .getConfiguration: configurationRead()
        case .setConfiguration:
            // What the device's address is afterwards the frames depend on, not this.
            .configurationWrite(
                offset: UInt32(dice.border([UInt64(profile.configurationByteCount)])),
                bytes: dice.bytes(dice.pick([0, 1, 4, 8])))
        case .bytes:
            .bytes(dice.chance(50) ? [UInt8](repeating: 0, count: 8) : memoryTable())
        }
    }

    private mutating func number(_ name: String) -> UInt64 {
        switch name {
        case "SET_STATUS":
            statusNumber()
        case "SET_BACKEND_FEATURES":
            backendFeatures()
        case "SET_FEATURES":
            dice.pick([profile.features, profile.features & dice.bits(), dice.bits(), 0])
        case "SET_FORK_FROM_OWNER": UInt64(dice.pick([0, 1, 2, 255]))
        default: dice.border([], bits: 64)
        }
    }

    /// Zero, which resets, now and then; else what a driver sets, in any order.
    private mutating func statusNumber() -> UInt64 {
        let now = UInt64(model.status)
        let numbers: [UInt64] = [
            0, now, now, now | 1, now | 3, now | 8, now | 4, 0x80, 0x40, 0x0f, 0x0f, 0xff, 7,
        ]
        return dice.pick(numbers)
    }

    private mutating func backendFeatures() -> UInt64 {
        let (offered, any) = (profile.backendFeatures, dice.bits())
        let flipped = offered ^ 1 << UInt64(dice.below(10))
        let numbers: [UInt64] = [
            offered, offered, any & 0x1fe, 1, 1 << 9, 1 << 6, 1 << 7, 1 << 7 | 1 << 3, 0, .max, flipped,
            flipped,
        ]
        return dice.pick(numbers)
    }

    private mutating func state(_ kind: ScriptRequestKind) -> ScriptRequest.Argument {
        let index = VringIndex(rawValue: UInt32(queueIndex()))
        let number: UInt64 =
            switch kind.name {
            case "SET_VRING_NUM":
                dice.border([
                    UInt64(profile.maximumQueueSize), 512, 1024, 0x8000, 3, UInt64(currentSize(index)),
                ])
            case "SET_VRING_BASE":
                dice.chance(60) ? dice.border([5, 0xffff, 0x1_0000]) : UInt64(currentAvail(index))
            case "SET_VRING_ENABLE": dice.border([1])
            case "SET_GROUP_ASID": dice.border([UInt64(profile.addressSpaceCount)])
            default: 0
            }
        return .state(index: index, number: UInt32(truncatingIfNeeded: number))
    }

    private func currentAvail(_ index: VringIndex) -> UInt16 {
        index.rawValue < UInt32(model.queues.count) ? model.queues[Int(index.rawValue)].avail : 0
    }

    private func currentSize(_ index: VringIndex) -> UInt16 {
        index.rawValue < UInt32(model.queues.count) ? model.queues[Int(index.rawValue)].writtenSize : 0
    }

    /// Kicks and calls stay apart: an eventfd that is both has the device kick itself.
    private mutating func descriptor(_ request: String) -> ScriptDescriptor {
        let isKick = request == "SET_VRING_KICK"
        var names = isKick ? Self.kickNames : Self.callNames
        if isKick, model.events.contains("signalled") { names.append("signalled") }
        if isKick, model.events.contains("full") { names.append("full") }
        return dice.pick(weighing: [
            (8, .eventFD(dice.pick(names))), (3, ScriptDescriptor.none), (1, .closed), (1, .nullDevice),
        ])
    }

    private mutating func addresses() -> ScriptRequest.Argument {
        let index = VringIndex(rawValue: UInt32(queueIndex()))
        func home(_ offset: (Int) -> UInt64) -> UInt64 {
            GeneratorRings.iova + offset(Int(min(index.rawValue, 2)))
        }
        var areas = [
            home(GeneratorRings.ring), home(GeneratorRings.avail), home(GeneratorRings.used), 0,
        ]
        if dice.chance(60) {
            let area = dice.below(4)
            let (was, top) = (areas[area], UInt64.max)
            let places: [UInt64] = [
                was + 1, was + 2, was + 4, 0, top, top - 1, top - 3, 0x8000, 0xf000, 1 << 48,
                profile.lastAddress.rawValue,
            ]
            areas[area] = dice.pick(places)
        }
        return .addresses(
            ScriptVringAddresses(
                index: index, flags: dice.pick(weighing: [(8, 0), (1, 1), (1, 2), (1, UInt32.max)]),
                descriptors: IOVirtualAddress(rawValue: areas[0]),
                avail: IOVirtualAddress(rawValue: areas[1]),
                used: IOVirtualAddress(rawValue: areas[2]), log: IOVirtualAddress(rawValue: areas[3])))
    }

    /// `struct vhost_memory`: too many regions, padding that is not 0.
    private mutating func memoryTable() -> [UInt8] {
        dice.chance(50) ? UInt64(65).littleEndianBytes : (UInt64(1) << 32).littleEndianBytes
    }

    private mutating func configurationRead() -> ScriptRequest.Argument {
        let size = UInt64(profile.configurationByteCount)
        return .configurationRead(
            offset: UInt32(dice.border([size, size / 2])), byteCount: UInt32(dice.border([size, size / 2])))
    }

    // MARK: The process

    /// Something of the process's own, or of the file's that is no request and no message.
    mutating func strayProcess() {
        switch dice.below(6) {
        case 0: emit(.open(file: "second"))
        case 1:
            emit(
                .map(
                    ScriptDoorbell(
                        queue: VringIndex(rawValue: UInt32(truncatingIfNeeded: queueIndex() & 0xffff)),
                        byteCount: dice.pick([4096, 4096, 4096, 8192, 1]), isReadable: dice.chance(15),
                        isShared: !dice.chance(15)), file: file))
        case 2: makeMemory()
        case 3:
            let names = model.memories.keys.sorted { $0.rawValue < $1.rawValue }.filter {
                $0 != GeneratorRings.memory
            }
            if !names.isEmpty { changeMemory(dice.pick(names)) }
        case 4: if dice.chance(50) { kick() } else { emit(.take(dice.pick(model.events))) }
        default: emit(.close(file: file))
        }
    }
}
