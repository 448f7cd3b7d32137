internal import GuestMemory
internal import VhostVDPA

extension ScriptComposer {
    // MARK: Maps

    /// Maps the rings' memory at its place.
    mutating func mapRings(_ space: UInt32) {
        guard space < profile.addressSpaceCount else { return }
        let page = UInt64(ScriptMemory.pageByteCount)
        let inBatch = dice.chance(35)
        if inBatch { message(.batchBegin, space) }
        if profile.mapsVirtualAddresses, dice.chance(70) {
            mapRings(space, from: 0, size: GeneratorRings.byteCount)
        } else {
            for index in 0..<GeneratorRings.pageCount { mapRings(space, from: index * page, size: page) }
        }
        if inBatch { message(.batchEnd, space) }
    }

    private mutating func mapRings(_ space: UInt32, from offset: UInt64, size: UInt64) {
        emit(
            .message(
                ScriptMessage(
                    .update, version: space == 0 && dice.chance(15) ? .first : .second,
                    addressSpace: AddressSpaceID(rawValue: space), iova: GeneratorRings.address(offset),
                    size: size,
                    memory: .memory(GeneratorRings.memory, offset: offset), access: 3), file: file))
    }

    // MARK: Rings

    /// Writes an empty ring, and tells the device of it.
    mutating func prepareRing(_ queue: Int) {
        guard queue < min(model.queues.count, GeneratorRings.queueCount) else { return }
        let limit = UInt16(clamping: max(2, profile.maximumQueueSize))
        let size = min(dice.pick(GeneratorRings.sizes), limit)
        let position = dice.pick(weighing: [(5, UInt16(0)), (1, 1), (1, 0xffff), (1, 5), (1, 0x8000)])
        let base = profile.givesPositions ? position : 0
        emptyRing(queue, size: size, base: base)
        setState("SET_VRING_NUM", queue, UInt32(size))
        setState("SET_VRING_BASE", queue, UInt32(base))
        setHome(queue)
        if dice.chance(90) { bind("SET_VRING_KICK", queue, .eventFD(Self.kickNames[queue])) }
        if dice.chance(85) {
            let name = dice.chance(85) ? Self.callNames[queue] : dice.pick(Self.callNames)
            bind("SET_VRING_CALL", queue, .eventFD(name))
        }
    }

    /// An avail ring and a used ring that stand at `base`, and no descriptors.
    private mutating func emptyRing(_ queue: Int, size: UInt16, base: UInt16) {
        let flags: UInt16 = dice.chance(10) ? 1 : 0  // VRING_AVAIL_F_NO_INTERRUPT
        emit(
            .store(
                GeneratorRings.memory, offset: GeneratorRings.avail(queue),
                bytes: flags.littleEndianBytes + base.littleEndianBytes
                    + [UInt8](repeating: 0, count: 2 * Int(size))))
        emit(
            .store(
                GeneratorRings.memory, offset: GeneratorRings.used(queue),
                bytes: UInt16(0).littleEndianBytes + base.littleEndianBytes
                    + [UInt8](repeating: 0, count: 8 * Int(size))))
    }

    mutating func setHome(_ queue: Int) {
        emit(
            request(
                "SET_VRING_ADDR",
                .addresses(
                    ScriptVringAddresses(
                        index: VringIndex(rawValue: UInt32(queue)),
                        descriptors: GeneratorRings.address(GeneratorRings.ring(queue)),
                        avail: GeneratorRings.address(GeneratorRings.avail(queue)),
                        used: GeneratorRings.address(GeneratorRings.used(queue))))))
    }

    mutating func bind(_ name: String, _ queue: Int, _ descriptor: ScriptDescriptor) {
        emit(request(name, .file(index: VringIndex(rawValue: UInt32(queue)), descriptor)))
    }

    /// Brings the device from wherever it is to DRIVER_OK, with its rings.
    mutating func start() {
        if model.maps.entries(0).isEmpty, dice.chance(85) { mapRings(0) }
        if model.status & 8 == 0 {
            setStatus(model.status | 3)
            setFeatures()
            setStatus(model.status | 8)
        }
        let count = min(model.queues.count, GeneratorRings.queueCount)
        let isEarly = dice.chance(30)
        if isEarly { setStatus(model.status | 4) }
        for queue in 0..<count where queue < 2 || dice.chance(50) {
            if dice.chance(92) { prepareRing(queue) }
            if dice.chance(92) { setState("SET_VRING_ENABLE", queue, 1) }
        }
        if !isEarly, dice.chance(92) { setStatus(model.status | 4) }
        // Until every queue's ring stands at its position no kick reaches it.
        if dice.chance(70) { postBuffers(1 + dice.below(4)) }
    }

    // MARK: Frames

    /// Puts a chain into a ring. What its descriptors are is written first, then the index.
    private mutating func post(_ queue: Int, _ chain: [(offset: UInt64, count: UInt32, isWritable: Bool)]) {
        let state = model.queues[queue]
        guard state.room > 0, profile.loopsFrames, !chain.isEmpty, chain.count <= 2 else { return }
        let head = UInt16(Int(state.avail) * 2 % Int(state.writtenSize))
        for (index, part) in chain.enumerated() {
            let isLast = index == chain.count - 1
            let slot = head + UInt16(index)
            emit(
                .store(
                    GeneratorRings.memory, offset: GeneratorRings.ring(queue) + 16 * UInt64(slot),
                    bytes: GeneratorRings.descriptor(
                        part.offset, part.count, flags: (isLast ? 0 : 1) | (part.isWritable ? 2 : 0),
                        next: isLast ? 0 : slot + 1)))
        }
        let entry = UInt64(state.avail % state.writtenSize)
        emit(
            .store(
                GeneratorRings.memory, offset: GeneratorRings.avail(queue) + 4 + 2 * entry,
                bytes: head.littleEndianBytes))
        let avail = state.avail &+ 1
        emit(
            .store(
                GeneratorRings.memory, offset: GeneratorRings.avail(queue) + 2, bytes: avail.littleEndianBytes
            ))
    }

    /// Receive buffers, of one part or two.
    mutating func postBuffers(_ count: Int) {
        for _ in 0..<count {
            let slot = UInt64(model.queues.first?.avail ?? 0) % 16
            let offset = GeneratorRings.buffers + slot * GeneratorRings.bufferSpace
            let length = dice.pick(weighing: [(6, UInt32(0x100)), (1, 64), (1, 12), (1, 1), (1, 18)])
            if dice.chance(25), length > 12 {
                post(0, [(offset, 12, true), (offset + 12, length - 12, true)])
            } else {
                post(0, [(offset, length, true)])
            }
        }
    }

    /// Frames to send, receive buffers for them most often, and a kick.
    mutating func postFrames(kicked: Bool = true) {
        guard model.queues.count > 1, profile.loopsFrames else { return kick() }
        let count = dice.pick(weighing: [(6, 1), (2, 2), (2, 3), (1, 7)])
        if dice.chance(75) { postBuffers(count + dice.below(2)) }
        for _ in 0..<count {
            let slot = UInt64(model.queues[1].avail) % 8
            let offset = GeneratorRings.frames + slot * GeneratorRings.frameSpace
            let length = dice.pick(weighing: [(8, 72), (1, 12), (1, 17), (1, 18), (1, 4), (1, 0x1c0)])
            let header = dice.chance(80) ? [UInt8](repeating: 0, count: 12) : dice.bytes(12)
            let frame =
                header + destination() + [0x52, 0x54, 0, 0xab, 0xcd, 0xef, 0x88, 0xb5] + dice.bytes(16)
            emit(.store(GeneratorRings.memory, offset: offset, bytes: frame))
            if dice.chance(25), length > 12 {
                post(1, [(offset, 12, false), (offset + 12, UInt32(length) - 12, false)])
            } else {
                post(1, [(offset, UInt32(length), false)])
            }
        }
        guard kicked else { return }
        kickQueue(dice.chance(80) ? 1 : 0)
        if dice.chance(70) { lookAtRings() }
    }

    /// To all, to a group, to the device, to one that is nearly its address, to somebody else.
    private mutating func destination() -> [UInt8] {
        let own = profile.address.count == 6 ? profile.address : [0x52, 0x54, 0, 0x12, 0x34, 0x56]
        switch dice.below(6) {
        case 0, 1: return [UInt8](repeating: 0xff, count: 6)
        case 2: return [0x01, 0, 0x5e, 0, 0, 1]
        case 3: return own
        case 4:
            let count = 1 + dice.below(5)
            return own.prefix(count) + [UInt8](repeating: UInt8(dice.below(256)), count: 6 - count)
        default: return [0x52, 0x54, 0, 1, 2, UInt8(dice.below(256))]
        }
    }

    /// A command for the control queue.
    mutating func postCommand() {
        guard model.queues.count > 2, profile.loopsFrames else { return }
        for _ in 0..<(1 + dice.below(2)) {
            let slot = UInt64(model.queues[2].avail) % 64
            let offset = GeneratorRings.commands + slot * GeneratorRings.commandSpace
            let commands: [(Int, [UInt8])] = [(8, [1, 1]), (1, [1, 0]), (2, [4, 0]), (1, dice.bytes(2))]
            let command = dice.pick(weighing: commands)
            let near: [UInt8] = [0x52, 0x54, 0, 0x12, 0x34, UInt8(dice.below(256))]
            let addresses: [(Int, [UInt8])] = [(3, profile.address), (3, near), (1, dice.bytes(6))]
            let address = dice.pick(weighing: addresses)
            emit(
                .store(
                    GeneratorRings.memory, offset: offset,
                    bytes: command + Array((address + [0, 0, 0, 0, 0, 0]).prefix(6))))
            let length = dice.pick(weighing: [(12, UInt32(8)), (1, 7), (1, 2), (1, 12)])
            post(2, [(offset, length, false), (offset + 0x20, dice.chance(90) ? 1 : 4, true)])
            if dice.chance(80) { kickQueue(2) }
            emit(.load(GeneratorRings.memory, offset: offset + 0x20, byteCount: 1))
        }
        if !model.queues.contains(where: { $0.kick == Self.kickNames[2] }) { kickQueue(2) }
        emit(request("GET_CONFIG", .configurationRead(offset: 0, byteCount: 6)))
    }

    // MARK: Kicks and looks

    private mutating func kickQueue(_ queue: Int) {
        emit(.signal(model.queues[queue].kick ?? Self.kickNames[queue], count: 1))
    }

    mutating func kick() {
        let name = dice.pick(model.events)
        let count = dice.pick(weighing: [(12, UInt64(1)), (1, 3), (1, .max - 1), (1, .max)])
        emit(.signal(dice.chance(80) ? dice.pick(Self.kickNames) : name, count: count))
        if dice.chance(20) { emit(.take(dice.pick(Self.kickNames))) }
    }

    mutating func lookAtRings() {
        for queue in 0..<min(model.queues.count, GeneratorRings.queueCount) where dice.chance(60) {
            let size = max(2, Int(model.queues[queue].writtenSize))
            emit(
                .load(
                    GeneratorRings.memory, offset: GeneratorRings.used(queue),
                    byteCount: dice.chance(50) ? 4 : 4 + 8 * size))
            emit(.take(Self.callNames[queue]))
        }
        if dice.chance(40) {
            let slot = UInt64(dice.below(16))
            emit(
                .load(
                    GeneratorRings.memory, offset: GeneratorRings.buffers + slot * GeneratorRings.bufferSpace,
                    byteCount: 40))
        }
    }

    /// Looks at something that the calls before may have changed.
    mutating func look() {
        switch dice.below(8) {
        case 0: emit(request("GET_STATUS", .nothing))
        case 1: emit(request("GET_CONFIG", .configurationRead(offset: 0, byteCount: 8)))
        case 2, 3: setState("GET_VRING_BASE", dice.below(max(1, model.queues.count)), 0)
        case 4: emit(.take(dice.pick(model.events)))
        case 5:
            setState(
                dice.pick(["GET_VRING_GROUP", "GET_VRING_SIZE", "GET_VRING_DESC_GROUP"]),
                dice.below(max(1, model.queues.count)), 0)
        default: lookAtRings()
        }
    }
}
