import GuestMemory
import VirtQueue
import Virtio

extension RingMachine where Device: ~Copyable, Driver: ~Copyable {
    enum Form { case readable, writable, pair, lists, indirect }

    /// Adds a chain of random buffers in one of the driver's forms.
    mutating func add(_ form: Form, _ reader: inout ByteReader) throws(ProgramFailure) {
        let counts = reader.byte()
        var readable = Int(counts & 7)
        var writable = Int(counts >> 3 & 7)
        switch form {
        case .readable: (readable, writable) = (1, 0)
        case .writable: (readable, writable) = (0, 1)
        case .pair: (readable, writable) = (1, 1)
        case .lists, .indirect: if readable + writable == 0 { readable = 1 }
        }
        var buffers: [RingModel.Buffer] = []
        for index in 0..<readable + writable {
            let offset = Int(reader.two())
            let byteCount = min(1 + Int(reader.two() & 0xFFF), ProgramMemory.bufferBytes - offset)
            buffers.append(
                RingModel.Buffer(
                    address: ProgramMemory.bufferAddress + UInt64(offset), byteCount: UInt32(byteCount),
                    isWritable: index >= readable))
        }
        try add(buffers, form)
    }

    mutating func add(_ buffers: [RingModel.Buffer], _ form: Form) throws(ProgramFailure) {
        let token = nextToken
        let segments = buffers.map {
            DriverSegment(address: IOVirtualAddress(rawValue: $0.address), byteCount: $0.byteCount)
        }
        let writableFrom = buffers.firstIndex { $0.isWritable } ?? buffers.count
        var descriptors = buffers.count
        var table: Int?
        let isAdded: Bool
        switch form {
        case .readable: isAdded = driver.add(readable: segments[0], token: token)
        case .writable: isAdded = driver.add(writable: segments[0], token: token)
        case .pair: isAdded = driver.add(readable: segments[0], writable: segments[1], token: token)
        case .indirect where features.contains(.indirectDescriptors) && !freeTables.isEmpty:
            let slot = freeTables.removeLast()
            table = slot
            descriptors = 1
            let offset = slot * ProgramMemory.tableBytes
            isAdded = unsafe segments.withUnsafeBufferPointer { all in
                unsafe driver.add(
                    readable: UnsafeBufferPointer(rebasing: all[..<writableFrom]),
                    writable: UnsafeBufferPointer(rebasing: all[writableFrom...]), token: token,
                    indirectTable: memory.tables.start + offset,
                    at: IOVirtualAddress(rawValue: ProgramMemory.tableAddress + UInt64(offset)))
            }
            if !isAdded { freeTables.append(slot) }
        case .lists, .indirect:
            isAdded = unsafe segments.withUnsafeBufferPointer { all in
                unsafe driver.add(
                    readable: UnsafeBufferPointer(rebasing: all[..<writableFrom]),
                    writable: UnsafeBufferPointer(rebasing: all[writableFrom...]), token: token)
            }
        }
        let chain = RingModel.Chain(token: token, buffers: buffers, descriptors: descriptors, table: table)
        if isAdded { nextToken &+= 1 }
        if isHostile {
            if isAdded { lent[token] = chain }
            return
        }
        try require(isAdded == (descriptors <= model.freeDescriptors), "adding \(descriptors) descriptors")
        if isAdded { model.driverAdds(chain) }
    }

    /// Adds up to `count` chains of one buffer.
    mutating func fill(_ count: Int) throws(ProgramFailure) {
        for index in 0..<min(count, driver.freeDescriptors) {
            let buffer = RingModel.Buffer(
                address: ProgramMemory.bufferAddress + UInt64(index % 1000), byteCount: 60,
                isWritable: index & 1 == 1)
            try add([buffer], buffer.isWritable ? .writable : .readable)
        }
    }

    mutating func driverPublish() throws(ProgramFailure) {
        let first = model.available.count
        let wantsKick = driver.publish()
        guard !isHostile else { return }
        try require(wantsKick == model.driverPublishes(), "whether the device wants a kick")
        try require(
            memory.number(at: geometry.driverAreaOffset + 2, 2) == UInt64(model.publishedCount & 0xFFFF),
            "the avail index in memory")
        for position in first..<model.available.count {
            let ringIndex = model.publishedCount - model.available.count + position
            let offset = geometry.driverAreaOffset + 4 + 2 * (ringIndex % model.size)
            let head = UInt16(memory.number(at: offset, 2))
            model.available[position].head = head
            let buffers = try buffers(at: head)
            try require(buffers == model.available[position].buffers, "the chain in memory: \(buffers)")
        }
    }

    /// Reads the chain at `head` from the ring's bytes.
    private func buffers(at head: UInt16) throws(ProgramFailure) -> [RingModel.Buffer] {
        var result: [RingModel.Buffer] = []
        var block = memory.ring
        var index = Int(head)
        var start = 0
        while true {
            let offset = start + 16 * index
            let address = ProgramMemory.number(in: block, at: offset, 8)
            let byteCount = UInt32(ProgramMemory.number(in: block, at: offset + 8, 4))
            let flags = ProgramMemory.number(in: block, at: offset + 12, 2)
            if flags & 4 != 0 {
                try require(
                    flags == 4 && start == 0 && block.address == ProgramMemory.ringAddress, "indirect")
                block = memory.tables
                start = Int(address - ProgramMemory.tableAddress)
                index = 0
                continue
            }
            result.append(
                RingModel.Buffer(address: address, byteCount: byteCount, isWritable: flags & 2 != 0))
            if flags & 1 == 0 { return result }
            index = Int(ProgramMemory.number(in: block, at: offset + 14, 2))
            try require(result.count <= model.size + 16, "a chain without an end")
        }
    }

    mutating func reap() throws(ProgramFailure) {
        let result: UsedChain?
        do throws(VirtQueueError) {
            result = try driver.reap()
        } catch {
            try require(isHostile, "an honest device was refused: \(error)")
            try require(driver.isBroken && error.code == .invalidUsedElement, "reap: \(error)")
            return
        }
        if isHostile {
            guard let result else { return }
            guard let chain = lent.removeValue(forKey: result.token) else {
                throw ProgramFailure("reaped \(result.token), which is not in flight")
            }
            try require(Int(result.byteCount) <= chain.bytes(writable: true), "more bytes than lent")
            return
        }
        guard let expected = model.driverReaps() else { return try require(result == nil, "reaped nothing") }
        try require(
            result == UsedChain(token: expected.chain.token, byteCount: expected.byteCount),
            "reaped \(String(describing: result))")
        if let table = expected.chain.table { freeTables.append(table) }
    }

    mutating func suppressCalls() {
        driver.suppressCalls()
        model.noInterrupt = true
        model.usedEvent = UInt16(truncatingIfNeeded: model.reapedCount - 1)
    }

    mutating func requestCalls(_ choice: Int) throws(ProgramFailure) {
        let chains = 1 + choice % driver.size
        let isThere = driver.requestCalls(after: chains)
        guard !isHostile else { return }
        model.noInterrupt = false
        model.usedEvent = UInt16(truncatingIfNeeded: model.reapedCount + chains - 1)
        try require(
            isThere == (model.used.count >= (model.hasEventIndex ? chains : 1)),
            "whether used chains are there")
    }

    /// Starts the ring again from `index`, as a driver does whose device has lost its state.
    mutating func resetDriver(_ index: UInt16) throws(ProgramFailure) {
        var tokens: Set<UInt32> = []
        while let token = driver.detach() {
            try require(tokens.insert(token).inserted, "detached twice: \(token)")
        }
        try require(
            tokens == Set(isHostile ? Array(lent.keys) : model.lent.map(\.token)), "what was detached")
        driver.reset(to: .split(nextAvail: index))
        model = RingModel(size: model.size, hasEventIndex: model.hasEventIndex, base: index)
        freeTables = Array(0..<ProgramMemory.tableCount)
        lent = [:]
        held = []
        isHostile = false
        try startDevice(.split(nextAvail: index))
    }
}
