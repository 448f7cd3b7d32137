internal import Glibc
internal import VirtQueue
internal import WorkerRuntime

/// A guest's frames through a file, as a TAP's: straight between it and guest memory, a batch with one system call.
struct FileGuest: ~Copyable {
    /// How many frames a batch moves between the file and a ring, at the most.
    static let batchSize = 64
    /// The fewest buffers that a burst of reads tries.
    static let smallestBurst = 8

    /// How many buffers the next burst of reads tries: grows with what the last one found.
    private(set) var burst = smallestBurst
    /// The buffers of one batch.
    private var buffers = Slots<BufferPool.Token>(capacity: batchSize)

    /// Writes a batch of received frames to the file, straight from guest memory: one system call for all.
    mutating func forward<Queue: DriverQueue & ~Copyable>(
        _ queue: inout Queue, _ receive: inout DriverQueueState, _ pool: inout BufferPool,
        _ loop: inout EventLoop,
        _ recorder: inout CaptureWriter?
    ) -> ReceivedChains {
        var chains = ReceivedChains()
        loop.beginBatch()
        var room = Self.batchSize
        while room > 0, let used = receive.reap(&queue) {
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
            let token = buffers[slot]
            let result = loop.result(slot)
            if result >= 0 {
                taken &+= 1
                unsafe recorder?.record(
                    .inbound, UnsafeRawBufferPointer(pool.bytes(token)), byteCount: Int(result))
            } else {
                Self.countUnforwarded(result, &receive, loop)
            }
            pool.put(token)
        }
        receive.account.left &+= taken
        return chains
    }

    /// Counts a frame that the file did not take.
    private static func countUnforwarded(
        _ result: Int32, _ receive: inout DriverQueueState, _ loop: borrowing EventLoop
    ) {
        receive.counts.drops &+= 1
        // A loop that has failed gives its own errno for a result: the file has said nothing.
        if loop.hasFailed {
            receive.account.abandoned &+= 1
        } else {
            receive.account.refuse(errno: -result)
        }
    }

    /// Reads what the file has straight into free buffers and adds them to the ring: one system call for a burst.
    /// Returns how many were added.
    mutating func send<Queue: DriverQueue & ~Copyable>(
        _ queue: inout Queue, _ transmit: inout DriverQueueState, _ pool: inout BufferPool,
        _ loop: inout EventLoop,
        _ recorder: inout CaptureWriter?
    ) -> Int {
        guard loop.isPortReadable else { return 0 }
        if queue.freeDescriptors < Self.batchSize { transmit.reapSent(&queue, into: &pool) }
        loop.beginBatch()
        while loop.batchCount < burst, queue.freeDescriptors > loop.batchCount,
            let token = pool.take()
        {
            let slot = unsafe loop.read(into: pool.bytes(token))
            buffers[slot] = token
        }
        // Cleared before the file is read: a frame that comes after the last read sets it again.
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
            unsafe recorder?.record(
                .outbound, UnsafeRawBufferPointer(pool.bytes(token)), byteCount: Int(result))
            // A TAP cuts a frame to the length of the read and says nothing: one that fills it may have been longer.
            guard Int(result) < pool.stride else {
                dropped &+= 1
                transmit.account.tooLong &+= 1
                pool.put(token)
                continue
            }
            guard transmit.add(token, byteCount: Int(result), of: pool, to: &queue) else {
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
}
