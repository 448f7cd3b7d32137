internal import Glibc
internal import VirtQueue
internal import WorkerRuntime

extension DriverWorker {
    /// Takes sent buffers back and sends a batch of what the port has. Returns whether it is worth while to look again.
    mutating func serveTransmit() -> Bool {
        let count: Int
        switch port.kind {
        case .generator: count = sendGenerated()
        case .file:
            count = sendFromPort()
            // Where every frame was dropped, or one came after the last read, there may be more to read.
            if count == 0, loop.batchCount > 0, loop.isPortReadable { return true }
        case .none: count = 0
        }
        if count > 0 { transmit.publish() }
        return count > 0
    }

    /// Makes the buffers of sent frames free again.
    mutating func reapTransmitted() {
        var sent: UInt64 = 0
        while let used = transmit.reap() {
            sent &+= 1
            pool.put(BufferPool.Token(rawValue: used.token))
        }
        transmit.account.left &+= sent
    }

    /// Writes the next generated frames into free buffers and adds them to the ring.
    private mutating func sendGenerated() -> Int {
        let room = generator.room
        guard room > 0 else { return 0 }
        if transmit.queue.freeDescriptors < FrameGenerator.batchSize { reapTransmitted() }
        recorder?.beginBatch()
        var count = 0
        var sentBytes = 0
        while count < room, transmit.queue.freeDescriptors > 0,
            let token = pool.take()
        {
            let (sequence, byteCount) = unsafe generator.next(into: pool.bytes(token))
            pool.setSequence(sequence, token)
            record(.outbound, token, byteCount: byteCount)
            guard send(token, byteCount: byteCount) else {
                transmit.account.noBuffer &+= 1
                pool.put(token)
                break
            }
            count &+= 1
            sentBytes &+= byteCount
        }
        transmit.account.entered = generator.nextSequence
        transmit.counts.move(frames: UInt64(count), byteCount: UInt64(sentBytes))
        return count
    }

    /// Reads what the guest's port has straight into free buffers and adds them to the ring: one system call
    /// for a burst.
    private mutating func sendFromPort() -> Int {
        guard loop.isPortReadable else { return 0 }
        if transmit.queue.freeDescriptors < Self.batchSize { reapTransmitted() }
        loop.beginBatch()
        while loop.batchCount < burst, transmit.queue.freeDescriptors > loop.batchCount,
            let token = pool.take()
        {
            let slot = unsafe loop.read(into: pool.bytes(token))
            buffers[slot] = token
        }
        // Cleared before the port is read: a frame that comes after the last read sets it again.
        loop.isPortReadable = false
        loop.waitForBatch()
        recorder?.beginBatch()
        var count = 0
        var sentBytes = 0
        var found: UInt64 = 0
        var dropped: UInt64 = 0
        var hasFoundEmpty = false
        for slot in 0..<loop.batchCount {
            let token = buffers[slot]
            let result = loop.result(slot)
            guard result > 0 else {
                hasFoundEmpty = true
                if result < 0, result != -EAGAIN, !loop.hasFailed {
                    transmit.account.lastRefusal = -result
                }
                pool.put(token)
                continue
            }
            found &+= 1
            // No TAP gives less than a header: whoever stands for one has broken a rule.
            guard Int(result) > NetworkHeader.byteCount else {
                dropped &+= 1
                transmit.counts.errors &+= 1
                transmit.account.malformed &+= 1
                pool.put(token)
                continue
            }
            record(.outbound, token, byteCount: Int(result))
            // A TAP cuts a frame to the length of the read and says nothing: one that fills it may have been longer.
            guard Int(result) < pool.stride else {
                dropped &+= 1
                transmit.account.tooLong &+= 1
                pool.put(token)
                continue
            }
            guard send(token, byteCount: Int(result)) else {
                dropped &+= 1
                transmit.account.noBuffer &+= 1
                pool.put(token)
                continue
            }
            count &+= 1
            sentBytes &+= Int(result)
        }
        transmit.counts.drops &+= dropped
        transmit.account.entered &+= found
        transmit.counts.move(frames: UInt64(count), byteCount: UInt64(sentBytes))
        if !hasFoundEmpty { loop.isPortReadable = true }
        burst = min(Self.batchSize, max(Self.smallestBurst, count &* 2))
        return count
    }

    /// Adds one filled buffer of `byteCount` bytes, header included, to the ring.
    @inline(__always)
    private mutating func send(_ token: BufferPool.Token, byteCount: Int) -> Bool {
        let segment = DriverSegment(address: pool.address(token), byteCount: UInt32(byteCount))
        return transmit.queue.add(readable: segment, token: token.rawValue)
    }
}
