internal import LinuxHost
internal import SystemPackage
internal import VirtQueue

/// One queue of the guest's driver, as its worker holds it.
struct DriverQueueState: ~Copyable {
    var queue: SplitDriverQueue
    let signals: QueueSignals
    var counts = QueueCounts()
    var account = FrameAccount()
    /// What the device did wrong on this ring, once it has.
    private(set) var failure: VirtQueueError?
    /// Why the device was not woken by a kick: the first refusal.
    private(set) var kickRefusal: Errno?
    /// The chains reaped that ``account`` knows of, as the ring counts them.
    private var countedChains: UInt16

    /// Lays the queue out at `memory`, whose host mapping must outlive it.
    init(
        _ memory: UnsafeMutableRawPointer, _ configuration: DriverConfiguration, signals: QueueSignals
    ) throws(VirtioNetError) {
        let queue = unsafe try Self.makeQueue(memory, configuration)
        countedChains = queue.chainsReaped
        self.queue = queue
        self.signals = signals
    }

    private static func makeQueue(
        _ memory: UnsafeMutableRawPointer, _ configuration: DriverConfiguration
    ) throws(VirtioNetError) -> SplitDriverQueue {
        do throws(VirtQueueError) {
            return unsafe try SplitDriverQueue(
                size: configuration.queueSize, features: configuration.features, memory: memory)
        } catch {
            throw VirtioNetError(.queue(error))
        }
    }

    /// Starts over with an empty ring of another shape at `memory`.
    mutating func replaceQueue(
        _ memory: UnsafeMutableRawPointer, _ configuration: DriverConfiguration
    ) throws(VirtioNetError) {
        queue = unsafe try Self.makeQueue(memory, configuration)
        countedChains = queue.chainsReaped
        failure = nil
    }

    /// The next chain the device has returned. A ring that the device broke returns nothing more.
    @inline(__always)
    mutating func reap() -> UsedChain? {
        do throws(VirtQueueError) {
            return try queue.reap()
        } catch {
            if failure == nil {
                failure = error
                counts.errors &+= 1
            }
            return nil
        }
    }

    /// Ends a batch of the receive queue, whose chains are all counted in `chains`.
    ///
    /// The ring says how many chains came back, not the loop that took them: a frame that is lost on its way
    /// from the ring to whoever counts it as having left is then missing from the account.
    mutating func count(_ chains: ReceivedChains) {
        let reaped = queue.chainsReaped
        account.entered &+= UInt64(reaped &- countedChains) &- chains.empty
        countedChains = reaped
        account.malformed &+= chains.short
        counts.errors &+= chains.short &+ chains.empty
        counts.move(frames: chains.frames, byteCount: chains.byteCount)
    }

    /// Fills the receive ring with free buffers, and tells the device.
    mutating func post(from pool: inout BufferPool) {
        while queue.freeDescriptors > 0, let token = pool.take() {
            let segment = DriverSegment(address: pool.address(token), byteCount: UInt32(pool.stride))
            guard queue.add(writable: segment, token: token.rawValue) else {
                pool.put(token)
                break
            }
        }
        publish()
    }

    /// Adds one filled buffer of `byteCount` bytes, header included, to the transmit ring.
    @inline(__always)
    mutating func add(_ token: BufferPool.Token, byteCount: Int, of pool: borrowing BufferPool) -> Bool {
        let segment = DriverSegment(address: pool.address(token), byteCount: UInt32(byteCount))
        return queue.add(readable: segment, token: token.rawValue)
    }

    /// Makes the buffers of sent frames free again.
    mutating func reapSent(into pool: inout BufferPool) {
        var sent: UInt64 = 0
        while let used = reap() {
            sent &+= 1
            pool.put(BufferPool.Token(rawValue: used.token))
        }
        account.left &+= sent
    }

    /// Shows the device what was added and kicks it if it asked to be.
    mutating func publish() {
        guard queue.publish() else { return }
        counts.kicks &+= 1
        if let errno = signals.kick.signal(), kickRefusal == nil { kickRefusal = errno }
    }
}
