internal import VirtQueue
internal import WorkerRuntime

extension DriverWorker {
    /// Hands a batch of received frames to the guest's port and posts fresh buffers. Returns whether any came.
    ///
    /// The ring says what entered, and whoever takes the frames says what left: the ledger, the port or the pool.
    mutating func serveReceive() -> Bool {
        var chains = ReceivedChains()
        switch port.kind {
        case .generator: checkReceived(&chains)
        case .file: forwardReceived(&chains)
        case .none: dropReceived(&chains)
        }
        receive.count(chains)
        guard !chains.isNone else { return false }
        postReceiveBuffers()
        return true
    }

    /// Checks a batch of generated frames that came back.
    private mutating func checkReceived(_ chains: inout ReceivedChains) {
        recorder?.beginBatch()
        var room = FrameGenerator.batchSize
        while room > 0, let used = receive.reap() {
            let token = BufferPool.Token(rawValue: used.token)
            if chains.take(used) {
                record(.inbound, token, byteCount: Int(used.byteCount))
                unsafe generator.check(pool.bytes(token), byteCount: Int(used.byteCount))
            }
            pool.put(token)
            room &-= 1
        }
        receive.account.left = generator.checked
    }

    /// Writes a batch of received frames to the port, straight from guest memory: one system call for all.
    private mutating func forwardReceived(_ chains: inout ReceivedChains) {
        loop.beginBatch()
        var room = Self.batchSize
        while room > 0, let used = receive.reap() {
            room &-= 1
            let token = BufferPool.Token(rawValue: used.token)
            guard chains.take(used) else {
                pool.put(token)
                continue
            }
            let bytes = unsafe pool.bytes(token)
            let slot = unsafe loop.write(
                from: UnsafeRawBufferPointer(rebasing: bytes[..<Int(used.byteCount)]))
            buffers[slot] = token
        }
        loop.waitForBatch()
        recorder?.beginBatch()
        var taken: UInt64 = 0
        for slot in 0..<loop.batchCount {
            let result = loop.result(slot)
            if result >= 0 {
                taken &+= 1
                record(.inbound, buffers[slot], byteCount: Int(result))
            } else {
                countUnforwarded(result)
            }
            pool.put(buffers[slot])
        }
        receive.account.left &+= taken
    }

    /// Counts a frame that the port did not take.
    private mutating func countUnforwarded(_ result: Int32) {
        receive.counts.drops &+= 1
        // A loop that has failed gives its own errno for a result: the port has said nothing.
        if loop.hasFailed {
            receive.account.abandoned &+= 1
        } else {
            receive.account.refuse(errno: -result)
        }
    }

    /// Lets a batch of received frames go.
    private mutating func dropReceived(_ chains: inout ReceivedChains) {
        recorder?.beginBatch()
        var room = FrameGenerator.batchSize
        var dropped: UInt64 = 0
        while room > 0, let used = receive.reap() {
            let token = BufferPool.Token(rawValue: used.token)
            if chains.take(used) {
                dropped &+= 1
                record(.inbound, token, byteCount: Int(used.byteCount))
            }
            pool.put(token)
            room &-= 1
        }
        receive.account.left &+= dropped
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
