internal import VirtQueue

/// A guest whose frames are made and checked here, by a ``FrameGenerator``.
enum GeneratorGuest {
    /// Checks a batch of generated frames that came back.
    static func check<Queue: DriverQueue & ~Copyable>(
        _ queue: inout Queue, _ receive: inout DriverQueueState, _ pool: inout BufferPool,
        _ generator: inout FrameGenerator,
        _ recorder: inout CaptureWriter?
    ) -> ReceivedChains {
        recorder?.beginBatch()
        var chains = ReceivedChains()
        var room = FrameGenerator.batchSize
        while room > 0, let used = receive.reap(&queue) {
            let token = BufferPool.Token(rawValue: used.token)
            if chains.take(used) {
                let bytes = unsafe pool.bytes(token)
                unsafe recorder?.record(
                    .inbound, UnsafeRawBufferPointer(bytes), byteCount: Int(used.byteCount))
                unsafe generator.check(bytes, byteCount: Int(used.byteCount))
            }
            pool.put(token)
            room &-= 1
        }
        receive.account.left = generator.checked
        return chains
    }

    /// Writes the next generated frames into free buffers and adds them to the ring. Returns how many.
    static func send<Queue: DriverQueue & ~Copyable>(
        _ queue: inout Queue, _ transmit: inout DriverQueueState, _ pool: inout BufferPool,
        _ generator: inout FrameGenerator,
        _ recorder: inout CaptureWriter?
    ) -> Int {
        let room = generator.room
        guard room > 0 else { return 0 }
        if queue.freeDescriptors < FrameGenerator.batchSize { transmit.reapSent(&queue, into: &pool) }
        recorder?.beginBatch()
        var count = 0
        var sentBytes = 0
        while count < room, queue.freeDescriptors > 0, let token = pool.take() {
            let bytes = unsafe pool.bytes(token)
            pool.setSequence(generator.nextSequence, token)
            let byteCount = unsafe generator.next(into: bytes)
            unsafe recorder?.record(.outbound, UnsafeRawBufferPointer(bytes), byteCount: byteCount)
            guard transmit.add(token, byteCount: byteCount, of: pool, to: &queue) else {
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
}
