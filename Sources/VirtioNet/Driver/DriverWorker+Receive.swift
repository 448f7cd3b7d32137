internal import VirtQueue

extension DriverWorker {
    /// Hands a batch of received frames to the guest's port and posts fresh buffers. Returns whether any came.
    mutating func serveReceive() -> Bool {
        let count: Int
        switch port.kind {
        case .generator: count = checkReceived()
        case .tap: count = forwardReceived()
        case .none: count = dropReceived()
        }
        guard count > 0 else { return false }
        postReceiveBuffers()
        return true
    }

    /// Checks a batch of generated frames that came back.
    private mutating func checkReceived() -> Int {
        var count = 0
        while count < FrameGenerator.batchSize, let used = receive.reap() {
            let token = BufferPool.Token(rawValue: used.token)
            unsafe generator.check(pool.bytes(token), byteCount: Int(used.byteCount))
            if countReceived(used) { receive.account.left &+= 1 }
            pool.put(token)
            count &+= 1
        }
        return count
    }

    /// Writes a batch of received frames to the port, straight from guest memory: one system call for all.
    private mutating func forwardReceived() -> Int {
        loop.batch.removeAll()
        var count = 0
        while count < Self.batchSize, let used = receive.reap() {
            count &+= 1
            guard countReceived(used) else {
                pool.put(BufferPool.Token(rawValue: used.token))
                continue
            }
            let bytes = unsafe pool.bytes(BufferPool.Token(rawValue: used.token))
            unsafe loop.write(used, from: UnsafeRawBufferPointer(rebasing: bytes[..<Int(used.byteCount)]))
        }
        loop.waitForBatch()
        for slot in 0..<loop.batch.count {
            let result = loop.batch.result(slot)
            if result >= 0 {
                receive.account.left &+= 1
            } else {
                receive.counts.drops &+= 1
                // A loop that has failed gives its own errno for a result: the port has said nothing.
                if loop.hasFailed {
                    receive.account.abandoned &+= 1
                } else {
                    receive.account.refuse(errno: -result)
                }
            }
            pool.put(BufferPool.Token(rawValue: loop.batch.item(slot).token))
        }
        return count
    }

    private mutating func dropReceived() -> Int {
        var count = 0
        while count < FrameGenerator.batchSize, let used = receive.reap() {
            if countReceived(used) { receive.account.left &+= 1 }
            pool.put(BufferPool.Token(rawValue: used.token))
            count &+= 1
        }
        return count
    }

    /// Counts a chain that the device returned. `false` where there is no frame in it: one that the device could not
    /// use comes back empty.
    @inline(__always)
    private mutating func countReceived(_ used: UsedChain) -> Bool {
        guard used.byteCount > UInt32(NetworkHeader.byteCount) else {
            if used.byteCount > 0 {
                receive.account.entered &+= 1
                receive.account.malformed &+= 1
            }
            return false
        }
        receive.account.entered &+= 1
        receive.counts.packets &+= 1
        receive.counts.bytes &+= UInt64(used.byteCount &- UInt32(NetworkHeader.byteCount))
        return true
    }

    /// Fills the receive ring with free buffers, and tells the device.
    mutating func postReceiveBuffers() {
        while receive.queue.freeDescriptors > 0, let token = pool.take() {
            let segment = DriverSegment(address: pool.address(token), byteCount: UInt32(pool.stride))
            guard receive.queue.add(writable: segment, token: token.rawValue) else {
                pool.put(token)
                break
            }
        }
        receive.publish()
    }
}
