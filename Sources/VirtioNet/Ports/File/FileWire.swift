internal import Glibc
internal import VirtQueue
internal import VirtioDevice
internal import WorkerRuntime

/// A wire through a file, as a TAP's: frames go straight between it and guest memory, a batch with one system call.
struct FileWire: ~Copyable {
    /// How many chains a batch takes at the most, in either direction. Transmit and receive take turns, each with the
    /// whole submission queue, so that neither can starve the other.
    static let batchSize = 64
    /// The fewest receive chains that a burst tries.
    static let smallestBurst = 8
    /// How many segments one READV or WRITEV takes (UIO_MAXIOV of include/uapi/linux/uio.h).
    private static let maximumVectors = 1024

    /// How many receive chains the next burst tries: grows with what the last one found.
    private(set) var burst = smallestBurst
    /// The chains of one batch.
    private var chains = Slots<DescriptorChain>(capacity: batchSize)
    /// Where the end of a frame goes that is longer than its receive chain.
    private let spill = SpillBuffer()

    /// Writes a batch of transmit chains to the port, straight from guest memory: one WRITEV a chain, one
    /// system call for all. Returns whether anything was taken from the ring.
    mutating func send<Queue: DeviceQueue & ~Copyable>(
        _ queue: inout Queue, _ transmit: inout FrameQueue, _ loop: inout EventLoop,
        _ segments: inout SegmentBuffer, _ recorder: inout CaptureWriter?
    ) -> Bool {
        let start = transmit.served.beginBatch(of: queue)
        queue.suppressKicks()
        segments.removeAll()
        loop.beginBatch()
        var pass = PassBudget(chains: Self.batchSize)
        while pass.hasRoom {
            let isInBatch = loop.batchCount > 0
            guard
                let chain = transmit.served.nextChain(
                    of: &queue, into: &segments, within: &pass, isInBatch: isInBatch)
            else { break }
            let isFrame =
                chain.isFrame && chain.readableCount <= Self.maximumVectors
            pass.take(
                bytes: isFrame ? chain.readableBytes : 0, segments: segments.count &- chain.readableStart)
            if isFrame {
                submitWrite(chain, &loop, segments)
            } else {
                transmit.served.refuse(chain.handle, of: &queue)
                segments.truncate(to: chain.readableStart)
            }
        }
        loop.waitForBatch()
        recorder?.beginBatch()
        var sent: UInt64 = 0
        var sentBytes: UInt64 = 0
        for slot in 0..<loop.batchCount {
            let chain = chains[slot]
            let result = loop.result(slot)
            if result >= 0 {
                sent &+= 1
                sentBytes &+= UInt64(chain.readableBytes)
                recorder?.record(
                    .outbound, chain.readableStart, count: chain.readableCount, of: segments,
                    byteCount: chain.readableBytes, held: chain.readableBytes)
            } else {
                Self.countUnsent(result, &transmit, loop)
            }
            queue.complete(chain.handle, byteCount: 0)
        }
        transmit.counts.move(frames: sent, byteCount: sentBytes)
        transmit.account.left &+= sent
        return transmit.finishBatch(of: &queue, since: start)
    }

    /// Reads what the port has straight into receive chains: a burst of READVs, one system call for all.
    ///
    /// The file does not block, so that a burst completes at once: the reads that find nothing give their chains
    /// back to the ring. Only the last chains can be given back, so a chain that is no good ends a burst and is
    /// refused as the first of the next one. Returns whether it is worth while to look again.
    mutating func receive<Queue: DeviceQueue & ~Copyable>(
        _ queue: inout Queue, _ receive: inout FrameQueue, _ loop: inout EventLoop,
        _ segments: inout SegmentBuffer, _ recorder: inout CaptureWriter?
    ) -> Bool {
        let start = receive.served.beginBatch(of: queue)
        queue.suppressKicks()
        segments.removeAll()
        loop.beginBatch()
        var pass = PassBudget(chains: burst)
        while pass.hasRoom {
            let isInBatch = loop.batchCount > 0
            guard
                let chain = receive.served.nextChain(
                    of: &queue, into: &segments, within: &pass, isInBatch: isInBatch)
            else { break }
            pass.take(
                bytes: min(chain.writableBytes, UInt32(NetworkHeader.longestFrameByteCount)),
                segments: segments.count &- chain.readableStart)
            if chain.writableBytes >= UInt32(NetworkHeader.byteCount),
                chain.writableCount < Self.maximumVectors, segments.count < segments.capacity
            {
                submitRead(chain, &loop, &segments)
            } else if isInBatch {
                queue.rewind(chain.handle)
                break
            } else {
                receive.served.refuse(chain.handle, of: &queue)
                segments.removeAll()
            }
        }
        // Cleared before the port is read: a frame that comes after the last read sets it again.
        loop.isPortReadable = false
        loop.waitForBatch()
        let filled = completeReceived(&queue, &receive, &loop, &segments, &recorder)
        burst = min(Self.batchSize, max(Self.smallestBurst, filled &* 2))
        let hasReturned = receive.finishBatch(of: &queue, since: start)
        // Frames that were dropped leave no trace in the ring, and there may be more where they came from.
        return hasReturned || (loop.batchCount > 0 && loop.isPortReadable)
    }

    /// Completes the receive chains that got a frame and gives the others back. Returns how many did.
    ///
    /// Chains go back only from the end. A read in the middle may find nothing while a later one finds a frame
    /// that came in between: such a frame moves down into the earlier chain.
    private mutating func completeReceived<Queue: DeviceQueue & ~Copyable>(
        _ queue: inout Queue, _ receive: inout FrameQueue, _ loop: inout EventLoop,
        _ segments: inout SegmentBuffer, _ recorder: inout CaptureWriter?
    ) -> Int {
        recorder?.beginBatch()
        var filled = 0
        var filledBytes: UInt64 = 0
        var found: UInt64 = 0
        var hasFoundEmpty = false
        for slot in 0..<loop.batchCount {
            let result = loop.result(slot)
            guard result > 0 else {
                hasFoundEmpty = true
                if result != -EAGAIN, !loop.hasFailed {
                    receive.counts.errors &+= 1
                    receive.account.lastRefusal = -result
                }
                continue
            }
            found &+= 1
            let target = chains[filled]
            let byteCount = UInt32(result)
            // No TAP gives less than a header: whoever stands for one has broken a rule.
            guard byteCount > UInt32(NetworkHeader.byteCount) else {
                receive.counts.errors &+= 1
                receive.account.malformed &+= 1
                continue
            }
            let chain = chains[slot]
            recorder?.record(
                .inbound, chain.writableStart, count: chain.writableCount, of: segments, byteCount: byteCount,
                held: min(byteCount, chain.writableBytes))
            guard byteCount <= chain.writableBytes, byteCount <= target.writableBytes else {
                receive.counts.drops &+= 1
                receive.account.tooLong &+= 1
                continue
            }
            if filled != slot {
                segments.copy(byteCount, fromWritten: chain, to: target)
            }
            segments.writeReceiveHeader(of: target)
            filledBytes &+= UInt64(byteCount)
            queue.complete(target.handle, byteCount: byteCount)
            filled &+= 1
        }
        receive.account.entered &+= found
        receive.counts.move(frames: UInt64(filled), byteCount: filledBytes)
        if !hasFoundEmpty { loop.isPortReadable = true }
        for slot in (filled..<loop.batchCount).reversed() { queue.rewind(chains[slot].handle) }
        return filled
    }

    /// Adds a write of a transmit chain to the batch.
    private mutating func submitWrite(
        _ chain: DescriptorChain, _ loop: inout EventLoop, _ segments: borrowing SegmentBuffer
    ) {
        let vectors = unsafe UnsafePointer(segments.base + chain.readableStart)
        let slot = unsafe loop.write(from: vectors, count: chain.readableCount)
        chains[slot] = chain
    }

    /// Adds a read of one frame into a receive chain, whose segments are the last ones in the buffer, and there is
    /// room for one more. A frame longer than the chain shows by the bytes that end in the spill buffer.
    private mutating func submitRead(
        _ chain: DescriptorChain, _ loop: inout EventLoop, _ segments: inout SegmentBuffer
    ) {
        let hasSpill = unsafe segments.append(spill.start, byteCount: SpillBuffer.byteCount)
        precondition(hasSpill, "a read without room for the end of a long frame")
        let vectors = unsafe UnsafePointer(segments.base + chain.writableStart)
        let slot = unsafe loop.read(into: vectors, count: chain.writableCount + 1)
        chains[slot] = chain
    }

    /// Counts a frame that the port did not take.
    private static func countUnsent(
        _ result: Int32, _ transmit: inout FrameQueue, _ loop: borrowing EventLoop
    ) {
        // A loop that has failed gives its own errno for a result: the port has said nothing.
        if loop.hasFailed {
            transmit.account.abandoned &+= 1
            transmit.counts.drops &+= 1
            return
        }
        transmit.account.refuse(errno: -result)
        if result == -EAGAIN {
            transmit.counts.drops &+= 1
        } else {
            transmit.counts.errors &+= 1
        }
    }
}
