internal import GuestMemory
internal import VhostVDPA

extension ScriptComposer {
    mutating func message(_ kind: ScriptMessage.Kind, _ space: UInt32) {
        emit(.message(ScriptMessage(kind, addressSpace: AddressSpaceID(rawValue: space)), file: file))
    }

    /// An address space, one that does not exist now and then.
    private mutating func anySpace() -> UInt32 {
        dice.pick(weighing: [
            (10, 0), (4, UInt32(dice.below(Int(max(1, profile.addressSpaceCount))))),
            (1, profile.addressSpaceCount),
            (1, .max),
        ])
    }

    /// Memory of the script's, at an address of its own.
    mutating func mapMemory() {
        let names = model.memories.keys.sorted { $0.rawValue < $1.rawValue }.filter {
            $0 != GeneratorRings.memory
        }
        guard !names.isEmpty else { return }
        let name = dice.pick(names)
        guard let memory = model.memories[name] else { return }
        let page = UInt64(ScriptMemory.pageByteCount)
        let first = dice.below(memory.pages.count)
        let count = profile.mapsVirtualAddresses ? 1 + dice.below(memory.pages.count - first) : 1
        let (iova, size) = dice.chance(75) ? (place(), UInt64(count) * page) : oddRange(UInt64(count) * page)
        let update = ScriptMessage(
            .update, version: dice.chance(20) ? .first : .second,
            addressSpace: AddressSpaceID(rawValue: anySpace()), iova: IOVirtualAddress(rawValue: iova),
            size: size,
            memory: .memory(name, offset: UInt64(first) * page),
            access: dice.pick(weighing: [(5, 3), (3, 1), (2, 2), (1, 0)]))
        emit(.message(update, file: file))
        if dice.chance(15) { emit(.message(update, file: file)) }
    }

    /// Pages for memory that no ring is in: some of them, so that ranges meet.
    private mutating func place() -> UInt64 {
        let page = UInt64(ScriptMemory.pageByteCount)
        let bases: [UInt64] = [0, 0x2000, 0x1_0000, 0x10_0000, 0x1_0000_0000]
        let base = max(dice.pick(bases), profile.firstAddress.rawValue)
        return base == 0x2000 ? 0x8000 + UInt64(dice.below(4)) * page : base + UInt64(dice.below(8)) * page
    }

    /// Ranges at the ends, that wrap, that begin within a page, or over the rings.
    private mutating func oddRange(_ size: UInt64) -> (iova: UInt64, size: UInt64) {
        let (last, top) = (profile.lastAddress.rawValue, UInt64.max)
        let (before, behind) = (GeneratorRings.iova - 0x1000, GeneratorRings.last)
        let ranges: [(UInt64, UInt64)] = [
            (0, size), (last &- size &+ 1, size), (last &- size &+ 2, size), (last, 1), (last, 2),
            (top, size),
            (0x1000_0000, 0), (0, top), (1, top), (0, 1 << 63), (before, size), (behind, size),
            (behind + 1, size), (0x1000_0800, size), (0x1000_0000, size / 2), (0x1000_0000, size - 1),
        ]
        return dice.pick(ranges)
    }

    /// Removes something: what is mapped most often, else whatever.
    mutating func unmapSomething() {
        let space = anySpace()
        let entries = model.maps.entries(space)
        var (iova, size): (UInt64, UInt64)
        if !entries.isEmpty, dice.chance(80) {
            let entry = dice.pick(entries)
            (iova, size) = (entry.first, entry.last &- entry.first &+ 1)
            if dice.chance(25) { (iova, size) = (dice.pick([iova &+ size &- 1, iova, iova &+ size]), 1) }
        } else {
            (iova, size) = dice.chance(30) ? (0, 0) : oddRange(0x1000)
        }
        emit(
            .message(
                ScriptMessage(
                    .invalidate, version: dice.chance(15) ? .first : .second,
                    addressSpace: AddressSpaceID(rawValue: space), iova: IOVirtualAddress(rawValue: iova),
                    size: size), file: file))
    }

    /// A batch, or what looks like one.
    mutating func batch() {
        let space = anySpace()
        if dice.chance(85) { message(.batchBegin, space) }
        for _ in 0..<dice.below(3) {
            if dice.chance(60) { mapMemory() } else { unmapSomething() }
        }
        switch dice.below(10) {
        case 0: setStatus(0)
        case 1: message(.batchBegin, anySpace())
        case 2: emit(.close(file: file))
        case 3: setState("SET_GROUP_ASID", 0, space)
        case 4: emit(request("SET_BACKEND_FEATURES", .number(dice.chance(50) ? 0 : profile.backendFeatures)))
        default: break
        }
        if model.file != nil, dice.chance(75) { message(.batchEnd, dice.chance(90) ? space : anySpace()) }
    }

    /// Any message, or bytes that are none.
    mutating func strayMessage() {
        switch dice.below(12) {
        case 0: emit(.write(dice.bytes(dice.pick([0, 1, 3])), file: file))
        case 1:
            // An outer type that there is not.
            let outer: UInt32 = dice.pick([0, 3, 7, .max])
            emit(.write(outer.littleEndianBytes + [UInt8](repeating: 0, count: 68), file: file))
        case 2: shortMessage()
        case 3:
            let pointers: [UInt64] = [0, 0x1000, 0xffff_8880_0000_0000, .max]
            emit(
                .writeFrom(
                    .number(HostAddress(rawValue: dice.pick(pointers))),
                    byteCount: dice.pick([3, 40, 72, 4096]),
                    file: file))
        case 4, 5:
            let kind = dice.pick(ScriptMessage.Kind.allCases)
            guard kind != .update else { return oddUpdate() }
            emit(
                .message(
                    ScriptMessage(
                        kind, version: dice.chance(30) ? .first : .second,
                        addressSpace: AddressSpaceID(rawValue: anySpace()),
                        iova: IOVirtualAddress(rawValue: place()),
                        size: 0x1000), file: file))
        case 6: oddUpdate()
        case 7: unmapSomething()
        case 8: batch()
        default: mapMemory()
        }
    }

    /// 40 bytes, which are enough, or 39, or more than a message has: of messages that change no map.
    private mutating func shortMessage() {
        let kind = dice.pick([ScriptMessage.Kind.miss, .accessFail])
        let whole = ScriptMessage(kind).encoded(memory: 0) + [UInt8](repeating: 0xff, count: 8)
        emit(.write(Array(whole.prefix(dice.pick([4, 8, 39, 40, 41, 71, 72, 80]))), file: file))
    }

    /// An UPDATE of an address that nothing is at.
    private mutating func oddUpdate() {
        let addresses: [UInt64] = [0, 0xffff_8880_0000_0000, 0xffff_ffff_ffff_f000]
        let below = ScriptPointer.memory(GeneratorRings.memory, offset: 0 &- 0x1000)
        let memory = dice.chance(30) ? below : .number(HostAddress(rawValue: dice.pick(addresses)))
        emit(
            .message(
                ScriptMessage(
                    .update, version: dice.chance(20) ? .first : .second,
                    addressSpace: AddressSpaceID(rawValue: anySpace()),
                    iova: IOVirtualAddress(rawValue: dice.chance(50) ? 0 : place()), size: 0x1000,
                    memory: memory, access: 3), file: file))
    }
}
