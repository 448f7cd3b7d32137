import Glibc
import GuestMemory
import VirtQueue

extension RingMachine where Device: ~Copyable, Driver: ~Copyable {
    /// Takes one chain; `false` where there was none or the ring is broken.
    @discardableResult
    mutating func pop() throws(ProgramFailure) -> Bool {
        segments.removeAll()
        let before = device.chainsTaken
        let wasBroken = device.isBroken
        let chain: DescriptorChain?
        do throws(VirtQueueError) {
            chain = try device.pop(into: &segments, translation: &translation)
        } catch {
            try require(isHostile, "an honest chain was refused: \(error)")
            try require(segments.count == 0, "segments of a refused chain")
            guard let chain = error.chain else {
                try require(device.isBroken && device.chainsTaken == before, "an error of the ring: \(error)")
                return false
            }
            try require(
                !wasBroken && !device.isBroken && device.chainsTaken == before &+ 1, "chain: \(error)")
            device.complete(chain, byteCount: 0)
            return true
        }
        try require(!wasBroken || chain == nil, "a chain from a broken ring")
        if let chain { try checkSegments(of: chain) }
        if isHostile {
            guard let chain else { return false }
            held.append(chain.handle)
            return true
        }
        guard let expected = model.devicePops() else {
            try require(chain == nil, "popped nothing")
            return false
        }
        guard let chain else { throw ProgramFailure("an available chain was not popped") }
        try require(chain.id == expected.head, "the head")
        var pieces: [(host: UInt, count: Int)] = []
        var readable = 0
        for buffer in expected.buffers {
            guard let more = memory.pieces(buffer.address, Int(buffer.byteCount)) else {
                throw ProgramFailure("the program's buffer is unmapped")
            }
            pieces += more
            if !buffer.isWritable { readable += more.count }
        }
        try require(chain.readableCount == readable, "readable segments")
        try require(chain.writableCount == pieces.count - readable, "writable segments")
        try require(Int(chain.readableBytes) == expected.bytes(writable: false), "readable bytes")
        try require(Int(chain.writableBytes) == expected.bytes(writable: true), "writable bytes")
        for (index, piece) in pieces.enumerated() {
            let segment = unsafe segments[index]
            try require(
                unsafe UInt(bitPattern: segment.iov_base) == piece.host && segment.iov_len == piece.count,
                "segment \(index)")
        }
        return true
    }

    /// Every segment lies in guest memory of its permission, and the counts add up.
    private func checkSegments(of chain: DescriptorChain) throws(ProgramFailure) {
        try require(
            chain.readableStart == 0 && chain.writableStart == chain.readableCount
                && chain.writableStart + chain.writableCount == segments.count && segments.count > 0,
            "the segments' places")
        var bytes = [0, 0]
        for index in 0..<segments.count {
            let segment = unsafe segments[index]
            let isWritable = index >= chain.writableStart
            let count = unsafe segment.iov_len
            bytes[isWritable ? 1 : 0] += count
            let host = UInt(bitPattern: unsafe segment.iov_base)
            try require(
                count > 0 && memory.holds(host: host, count: count, access: isWritable ? .write : .read),
                "a segment outside guest memory")
            guard let pointer = unsafe segment.iov_base, isHostile, isWritable else { continue }
            // A hostile guest may point a buffer at its own ring: the device writes there, as it was told.
            unsafe pointer.storeBytes(of: 0xA5, as: UInt8.self)
            unsafe (pointer + count - 1).storeBytes(of: 0x5A, as: UInt8.self)
        }
        try require(
            bytes[0] == Int(chain.readableBytes) && bytes[1] == Int(chain.writableBytes), "the bytes' sum")
    }

    /// Completes one of the chains in flight, chosen by `choice`, with a length chosen by `part`.
    mutating func complete(_ choice: Int, _ part: UInt32) throws(ProgramFailure) {
        if isHostile {
            guard !held.isEmpty else { return }
            device.complete(held.remove(at: choice % held.count), byteCount: part)
            return
        }
        let open = model.popped.indices.filter { !model.popped[$0].isCompleted }
        guard !open.isEmpty else { return }
        let index = open[choice % open.count]
        let chain = model.popped[index].chain
        let byteCount = UInt32(Int(part) * chain.bytes(writable: true) / 255)
        device.complete(ChainHandle(id: chain.head), byteCount: byteCount)
        model.deviceCompletes(index, byteCount: byteCount)
    }

    mutating func devicePublish() throws(ProgramFailure) {
        let wantsCall = device.publish()
        guard !isHostile else { return }
        let first = model.returnedCount
        try require(wantsCall == model.devicePublishes(), "whether the driver wants a call")
        let index = memory.number(at: geometry.deviceAreaOffset + 2, 2)
        try require(index == UInt64(model.returnedCount & 0xFFFF), "the used index in memory")
        for (position, returned) in model.used.suffix(model.returnedCount - first).enumerated() {
            let offset = geometry.deviceAreaOffset + 4 + 8 * ((first + position) % model.size)
            try require(memory.number(at: offset, 4) == UInt64(returned.chain.head), "a used element's id")
            try require(memory.number(at: offset + 4, 4) == UInt64(returned.byteCount), "its length")
        }
    }

    mutating func rewind(_ choice: Int) throws(ProgramFailure) {
        if isHostile {
            let count = choice % (held.count + 1)
            for chain in held.suffix(count).reversed() { device.rewind(chain) }
            held.removeLast(count)
            return
        }
        rewindLast(choice % (model.rewindable + 1))
    }

    /// Gives back the last `count` chains popped, newest first.
    private mutating func rewindLast(_ count: Int) {
        for entry in model.popped.suffix(count).reversed() {
            device.rewind(ChainHandle(id: entry.chain.head))
        }
        model.deviceRewinds(count)
    }

    mutating func suppressKicks() {
        device.suppressKicks()
        model.noNotify = true
        model.availEvent = UInt16(truncatingIfNeeded: model.poppedCount - 1)
    }

    mutating func requestKicks() throws(ProgramFailure) {
        let isThere = device.requestKicks()
        guard !isHostile else { return }
        model.noNotify = false
        model.availEvent = UInt16(truncatingIfNeeded: model.poppedCount)
        try require(isThere == !model.available.isEmpty, "whether chains are available")
    }

    /// Stops the device with chains in flight and starts another one from the ring base.
    mutating func restartDevice() throws(ProgramFailure) {
        let state = try stopDevice()
        try startDevice(state)
    }

    /// Gives back or completes what is in flight; gives where to go on.
    private mutating func stopDevice() throws(ProgramFailure) -> QueueState {
        if isHostile {
            for chain in held { device.complete(chain, byteCount: 0) }
            held = []
        } else {
            rewindLast(model.rewindable)
            while model.deviceHeld > 0 { try complete(0, 255) }
        }
        try devicePublish()
        try require(device.chainsTaken == device.chainsReturned, "a drained queue's indices differ")
        return device.state
    }

    mutating func startDevice(_ state: QueueState) throws(ProgramFailure) {
        do throws(VirtQueueError) {
            device = try Device(
                layout: layout, features: features, state: state, translation: &translation)
        } catch {
            throw ProgramFailure("no restart: \(error)")
        }
        model.popped = []
        model.deviceHasSignalled = false
    }

    /// The maps go and come back: meanwhile no device can be made, afterwards another one goes on.
    mutating func loseMaps() throws(ProgramFailure) {
        let state = try stopDevice()
        translation = TranslationTable([])
        var isMade = true
        do throws(VirtQueueError) {
            device = try Device(
                layout: layout, features: features, state: state, translation: &translation)
        } catch {
            isMade = false
        }
        try require(!isMade, "a device over a ring that is not mapped")
        translation = memory.table()
        try startDevice(state)
    }

    /// Lets every chain go round, and in an honest program all of them come back.
    mutating func drain() throws(ProgramFailure) {
        try driverPublish()
        for _ in 0...2 * device.size {
            guard try pop() else { break }
        }
        if isHostile {
            while !held.isEmpty { try complete(0, 0) }
        } else {
            for index in model.popped.indices where !model.popped[index].isCompleted {
                let chain = model.popped[index].chain
                let byteCount = UInt32(chain.bytes(writable: true))
                device.complete(ChainHandle(id: chain.head), byteCount: byteCount)
                model.deviceCompletes(index, byteCount: byteCount)
            }
        }
        try devicePublish()
        for _ in 0...device.size where driver.hasUsed() { try reap() }
        guard !isHostile else { return }
        try require(
            driver.freeDescriptors == driver.size && driver.inFlight == 0, "a chain did not come back")
        try require(device.chainsTaken == device.chainsReturned, "a drained queue's indices differ")
    }

    /// Changes the ring's memory under both sides.
    mutating func poke(_ operation: RingOperation, _ reader: inout ByteReader) {
        if !isHostile {
            isHostile = true
            lent = Dictionary(uniqueKeysWithValues: model.lent.map { ($0.token, $0) })
            held = model.popped.filter { !$0.isCompleted }.map { ChainHandle(id: $0.chain.head) }
        }
        switch operation {
        case .pokeTable:
            let offset = Int(reader.two()) % memory.tables.count
            ProgramMemory.poke(reader.eight(), in: memory.tables, at: offset, 8)
        case .pokeDescriptor:
            // Addresses that hit something, so that what comes after the translation is reached.
            let index = Int(reader.two()) % driver.size
            let regions: [UInt64] = [
                ProgramMemory.bufferAddress, ProgramMemory.tableAddress, ProgramMemory.readOnlyAddress,
                ProgramMemory.writeOnlyAddress, ProgramMemory.ringAddress, .max - 0xFFF,
            ]
            let address = regions[Int(reader.byte() % 6)] &+ UInt64(reader.two() & 0xFFF)
            let words = UInt64(reader.two()) | UInt64(reader.byte() & 7) << 32 | UInt64(reader.two()) << 48
            ProgramMemory.poke(address, in: memory.ring, at: 16 * index, 8)
            ProgramMemory.poke(words, in: memory.ring, at: 16 * index + 8, 8)
        case .pokeIndex:
            let offset = reader.byte() & 1 == 0 ? geometry.driverAreaOffset : geometry.deviceAreaOffset
            ProgramMemory.poke(UInt64(reader.two()), in: memory.ring, at: offset + 2, 2)
        default:
            let offset = Int(reader.two()) % memory.ring.count
            ProgramMemory.poke(UInt64(reader.two()), in: memory.ring, at: offset, 2)
        }
    }
}
