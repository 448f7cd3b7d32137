internal import VirtQueue

/// A guest that sends nothing, and lets go of what it receives.
enum DiscardGuest {
    /// How many chains one pass takes, at the most.
    private static let batchSize = 256

    /// Lets a batch of received frames go.
    static func drop<Queue: DriverQueue & ~Copyable>(
        _ queue: inout Queue, _ receive: inout DriverQueueState, _ pool: inout BufferPool,
        _ recorder: inout CaptureWriter?
    ) -> ReceivedChains {
        recorder?.beginBatch()
        var chains = ReceivedChains()
        var room = batchSize
        while room > 0, let used = receive.reap(&queue) {
            let token = BufferPool.Token(rawValue: used.token)
            if chains.take(used) {
                unsafe recorder?.record(
                    .inbound, UnsafeRawBufferPointer(pool.bytes(token)), byteCount: Int(used.byteCount))
            }
            pool.put(token)
            room &-= 1
        }
        receive.account.left &+= chains.frames
        return chains
    }
}
