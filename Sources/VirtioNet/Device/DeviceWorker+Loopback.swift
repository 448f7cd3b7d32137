internal import VirtQueue

extension DeviceWorker {
    /// Moves transmitted frames into receive chains of the same pair: the loopback wire, one copy a frame.
    ///
    /// A frame waits in the transmit ring until a receive chain is there, so that nothing is lost for want of
    /// one. Returns whether anything was taken from a ring.
    mutating func reflect() -> Bool {
        guard transmit.isKicked, receive.isKicked, transmit.ring != nil, receive.ring != nil,
            var outgoing = transmit.ring.take(), var incoming = receive.ring.take()
        else { return false }
        let sentStart = transmit.beginBatch(of: outgoing)
        let receivedStart = receive.beginBatch(of: incoming)
        outgoing.suppressKicks()
        incoming.suppressKicks()
        recorder?.beginBatch()
        var moved: UInt64 = 0
        var byteCount: UInt64 = 0
        var pass = PassBudget(chains: DeviceWorker.reflectedBatchSize)
        while pass.hasRoom {
            segments.removeAll()
            guard let target = receive.nextChain(of: &incoming, into: &segments, within: &pass) else { break }
            guard target.writableBytes >= UInt32(NetworkHeader.byteCount) else {
                pass.take(bytes: 0, segments: segments.count)
                receive.refuse(target, of: &incoming)
                continue
            }
            guard let frame = nextFittingFrame(&outgoing, target, &pass) else {
                incoming.rewind(1)
                break
            }
            segments.copy(frame.readableBytes, from: frame, to: target)
            segments.writeReceiveHeader(of: target)
            recordReflected(frame, readFrom: target.writableStart, count: target.writableCount)
            outgoing.complete(head: frame.head, byteCount: 0)
            incoming.complete(head: target.head, byteCount: frame.readableBytes)
            byteCount &+= UInt64(frame.readableBytes)
            moved &+= 1
        }
        transmit.counts.move(frames: moved, byteCount: byteCount)
        receive.counts.move(frames: moved, byteCount: byteCount)
        transmit.account.left &+= moved
        receive.account.entered &+= moved
        let hasMoved =
            outgoing.usedIndex != sentStart.usedIndex || incoming.usedIndex != receivedStart.usedIndex
        receive.finishBatch(of: &incoming, since: receivedStart)
        transmit.finishBatch(of: &outgoing, since: sentStart)
        receive.ring = consume incoming
        transmit.ring = consume outgoing
        return hasMoved
    }

    /// The next transmit chain that holds a frame and fits `target`; those that do not are counted and returned.
    @inline(__always)
    private mutating func nextFittingFrame(
        _ queue: inout SplitDeviceQueue, _ target: DescriptorChain, _ pass: inout PassBudget
    ) -> DescriptorChain? {
        while pass.hasRoom, let chain = transmit.nextChain(of: &queue, into: &segments, within: &pass) {
            let isFrame = DeviceWorker.isFrame(chain)
            pass.take(bytes: isFrame ? chain.readableBytes : 0, segments: segments.count)
            if !isFrame {
                transmit.refuse(chain, of: &queue)
            } else if chain.readableBytes > target.writableBytes {
                receive.counts.drops &+= 1
                transmit.account.left &+= 1
                receive.account.entered &+= 1
                receive.account.tooLong &+= 1
                recordReflected(chain, readFrom: chain.readableStart, count: chain.readableCount)
                queue.complete(head: chain.head, byteCount: 0)
            } else {
                return chain
            }
            segments.truncate(to: chain.readableStart)
        }
        return nil
    }

    /// Records a frame that goes out and comes back in, as `count` segments from `start` on have it then.
    @inline(__always)
    private mutating func recordReflected(_ frame: DescriptorChain, readFrom start: Int, count: Int) {
        let byteCount = frame.readableBytes
        record(
            .outbound, frame.readableStart, count: frame.readableCount, byteCount: byteCount, held: byteCount)
        record(.inbound, start, count: count, byteCount: byteCount, held: byteCount)
    }

    /// Takes every transmitted frame and lets it go: the wire that ends in nothing.
    mutating func discard() -> Bool {
        guard transmit.isKicked, var queue = transmit.ring.take() else { return false }
        let start = transmit.beginBatch(of: queue)
        queue.suppressKicks()
        recorder?.beginBatch()
        var taken: UInt64 = 0
        var byteCount: UInt64 = 0
        var pass = PassBudget(chains: DeviceWorker.reflectedBatchSize)
        while pass.hasRoom {
            segments.removeAll()
            guard let chain = transmit.nextChain(of: &queue, into: &segments, within: &pass) else { break }
            pass.take(bytes: 0, segments: segments.count)
            guard DeviceWorker.isFrame(chain) else {
                transmit.refuse(chain, of: &queue)
                continue
            }
            taken &+= 1
            byteCount &+= UInt64(chain.readableBytes)
            record(
                .outbound, chain.readableStart, count: chain.readableCount, byteCount: chain.readableBytes,
                held: chain.readableBytes)
            queue.complete(head: chain.head, byteCount: 0)
        }
        transmit.counts.move(frames: taken, byteCount: byteCount)
        transmit.account.left &+= taken
        let moved = queue.usedIndex != start.usedIndex
        transmit.finishBatch(of: &queue, since: start)
        transmit.ring = consume queue
        return moved
    }
}
