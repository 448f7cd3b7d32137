internal import VirtQueue
internal import VirtioDevice

/// A wire that ends in nothing: transmitted frames are gone, none come in.
enum DiscardWire {
    /// How many chains one pass looks at, at the most.
    private static let batchSize = 256

    /// Takes every transmitted frame and lets it go. Returns whether anything was taken from the ring.
    static func drop<Queue: DeviceQueue & ~Copyable>(
        _ queue: inout Queue, _ transmit: inout FrameQueue, _ segments: inout SegmentBuffer,
        _ recorder: inout CaptureWriter?
    ) -> Bool {
        let start = transmit.served.beginBatch(of: queue)
        queue.suppressKicks()
        recorder?.beginBatch()
        var taken: UInt64 = 0
        var byteCount: UInt64 = 0
        var pass = PassBudget(chains: batchSize)
        while pass.hasRoom {
            segments.removeAll()
            guard let chain = transmit.served.nextChain(of: &queue, into: &segments, within: &pass) else {
                break
            }
            pass.take(bytes: 0, segments: segments.count)
            guard chain.isFrame else {
                transmit.served.refuse(chain.handle, of: &queue)
                continue
            }
            taken &+= 1
            byteCount &+= UInt64(chain.readableBytes)
            recorder?.record(
                .outbound, chain.readableStart, count: chain.readableCount, of: segments,
                byteCount: chain.readableBytes, held: chain.readableBytes)
            queue.complete(chain.handle, byteCount: 0)
        }
        transmit.counts.move(frames: taken, byteCount: byteCount)
        transmit.account.left &+= taken
        return transmit.finishBatch(of: &queue, since: start)
    }
}
