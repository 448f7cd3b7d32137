internal import VirtQueue
internal import VirtioDevice

/// A wire that gives every frame back: one copy from a transmit chain into a receive chain of the same pair.
enum LoopbackWire {
    /// How many chains one pass looks at, at the most.
    private static let batchSize = 256

    /// Moves transmitted frames into receive chains.
    ///
    /// A frame waits in the transmit ring until a receive chain is there, so that nothing is lost for want of
    /// one. Returns whether anything was taken from a ring.
    static func exchange<Queue: DeviceQueue & ~Copyable>(
        _ outgoing: inout Queue, _ transmit: inout FrameQueue,
        _ incoming: inout Queue, _ receive: inout FrameQueue,
        _ segments: inout SegmentBuffer, _ recorder: inout CaptureWriter?
    ) -> Bool {
        let sentStart = transmit.served.beginBatch(of: outgoing)
        let receivedStart = receive.served.beginBatch(of: incoming)
        outgoing.suppressKicks()
        incoming.suppressKicks()
        recorder?.beginBatch()
        var moved: UInt64 = 0
        var byteCount: UInt64 = 0
        var pass = PassBudget(chains: batchSize)
        while pass.hasRoom {
            segments.removeAll()
            guard let target = receive.served.nextChain(of: &incoming, into: &segments, within: &pass) else {
                break
            }
            guard target.writableBytes >= UInt32(NetworkHeader.byteCount) else {
                pass.take(bytes: 0, segments: segments.count)
                receive.served.refuse(target.handle, of: &incoming)
                continue
            }
            guard
                let frame = nextFittingFrame(
                    &outgoing, &transmit, target, &receive, &segments, &pass, &recorder)
            else {
                incoming.rewind(target.handle)
                break
            }
            segments.copy(frame.readableBytes, from: frame, to: target)
            segments.writeReceiveHeader(of: target)
            if recorder != nil {
                record(
                    frame, readFrom: target.writableStart, count: target.writableCount, segments, &recorder)
            }
            outgoing.complete(frame.handle, byteCount: 0)
            incoming.complete(target.handle, byteCount: frame.readableBytes)
            byteCount &+= UInt64(frame.readableBytes)
            moved &+= 1
        }
        transmit.counts.move(frames: moved, byteCount: byteCount)
        receive.counts.move(frames: moved, byteCount: byteCount)
        transmit.account.left &+= moved
        receive.account.entered &+= moved
        let hasReceived = receive.finishBatch(of: &incoming, since: receivedStart)
        let hasSent = transmit.finishBatch(of: &outgoing, since: sentStart)
        return hasReceived || hasSent
    }

    /// The next transmit chain that holds a frame and fits `target`; those that do not are counted and returned.
    @inline(__always)
    private static func nextFittingFrame<Queue: DeviceQueue & ~Copyable>(
        _ queue: inout Queue, _ transmit: inout FrameQueue, _ target: DescriptorChain,
        _ receive: inout FrameQueue, _ segments: inout SegmentBuffer, _ pass: inout PassBudget,
        _ recorder: inout CaptureWriter?
    ) -> DescriptorChain? {
        while pass.hasRoom, let chain = transmit.served.nextChain(of: &queue, into: &segments, within: &pass)
        {
            let isFrame = chain.isFrame
            pass.take(bytes: isFrame ? chain.readableBytes : 0, segments: segments.count)
            if !isFrame {
                transmit.served.refuse(chain.handle, of: &queue)
            } else if chain.readableBytes > target.writableBytes {
                receive.counts.drops &+= 1
                transmit.account.left &+= 1
                receive.account.entered &+= 1
                receive.account.tooLong &+= 1
                record(chain, readFrom: chain.readableStart, count: chain.readableCount, segments, &recorder)
                queue.complete(chain.handle, byteCount: 0)
            } else {
                return chain
            }
            segments.truncate(to: chain.readableStart)
        }
        return nil
    }

    /// Records a frame that goes out and comes back in, as `count` segments from `start` on have it then.
    @inline(never)
    private static func record(
        _ frame: DescriptorChain, readFrom start: Int, count: Int, _ segments: borrowing SegmentBuffer,
        _ recorder: inout CaptureWriter?
    ) {
        let byteCount = frame.readableBytes
        recorder?.record(
            .outbound, frame.readableStart, count: frame.readableCount, of: segments, byteCount: byteCount,
            held: byteCount)
        recorder?.record(.inbound, start, count: count, of: segments, byteCount: byteCount, held: byteCount)
    }
}
