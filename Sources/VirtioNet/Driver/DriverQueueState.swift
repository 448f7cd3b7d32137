internal import LinuxHost
internal import SystemPackage
internal import VirtQueue

/// One queue of the guest's driver, as its worker holds it.
///
/// A pass takes the ring out, as the type of its format, works on it and puts it back.
struct DriverQueueState: ~Copyable {
    /// The ring; `nil` while a pass has it.
    private var ring: AnyDriverQueue?
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
        ring = consume queue
        self.signals = signals
    }

    private static func makeQueue(
        _ memory: UnsafeMutableRawPointer, _ configuration: DriverConfiguration
    ) throws(VirtioNetError) -> AnyDriverQueue {
        do throws(VirtQueueError) {
            return unsafe try AnyDriverQueue(
                size: configuration.queueSize, features: configuration.features, memory: memory,
                state: .initial(configuration.format))
        } catch {
            throw VirtioNetError(.queue(error))
        }
    }

    /// Starts over with an empty ring of another shape at `memory`.
    mutating func replaceQueue(
        _ memory: UnsafeMutableRawPointer, _ configuration: DriverConfiguration
    ) throws(VirtioNetError) {
        let queue = unsafe try Self.makeQueue(memory, configuration)
        countedChains = queue.chainsReaped
        ring = consume queue
        failure = nil
    }

    // MARK: The ring

    /// Takes the ring out for a pass, as a queue of its format or of any. It must be put back.
    mutating func takeRing<Queue: DriverQueue & ~Copyable>(as type: Queue.Type) -> Queue {
        guard let ring = ring.take() else { preconditionFailure("a ring that a pass has already") }
        guard let queue = Queue.unwrap(ring) else { preconditionFailure("a ring of another format") }
        return queue
    }

    /// Puts a ring back that was taken out.
    mutating func putBack<Queue: DriverQueue & ~Copyable>(_ queue: consuming Queue) {
        ring = queue.wrapped()
    }

    /// The chains in the ring.
    var inFlight: Int {
        switch ring {
        case .some(let ring): ring.inFlight
        case .none: 0
        }
    }

    /// The tokens of the chains in the ring.
    var tokensInFlight: [UInt32] {
        switch ring {
        case .some(let ring): ring.tokensInFlight
        case .none: []
        }
    }

    /// Asks the device for a call after `chains` more; `true` where they are there already.
    mutating func requestCalls(after chains: Int = 1) -> Bool { ring?.requestCalls(after: chains) ?? false }

    /// Takes any chain back that is in flight, for a ring that is given up; its token.
    mutating func detach() -> UInt32? { ring?.detach() }

    // MARK: A pass

    /// The next chain the device has returned. A ring that the device broke returns nothing more.
    @inline(__always)
    mutating func reap<Queue: DriverQueue & ~Copyable>(_ queue: inout Queue) -> UsedChain? {
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
    mutating func count<Queue: DriverQueue & ~Copyable>(_ chains: ReceivedChains, of queue: borrowing Queue) {
        let reaped = queue.chainsReaped
        account.entered &+= UInt64(reaped &- countedChains) &- chains.empty
        countedChains = reaped
        account.malformed &+= chains.short
        counts.errors &+= chains.short &+ chains.empty
        counts.move(frames: chains.frames, byteCount: chains.byteCount)
    }

    /// Fills the receive ring with free buffers, and tells the device.
    mutating func post<Queue: DriverQueue & ~Copyable>(
        to queue: inout Queue, from pool: inout BufferPool
    ) {
        while queue.freeDescriptors > 0, let token = pool.take() {
            let segment = DriverSegment(address: pool.address(token), byteCount: UInt32(pool.stride))
            guard queue.add(writable: segment, token: token.rawValue) else {
                pool.put(token)
                break
            }
        }
        publish(&queue)
    }

    /// Adds one filled buffer of `byteCount` bytes, header included, to the transmit ring.
    @inline(__always)
    func add<Queue: DriverQueue & ~Copyable>(
        _ token: BufferPool.Token, byteCount: Int, of pool: borrowing BufferPool, to queue: inout Queue
    ) -> Bool {
        let segment = DriverSegment(address: pool.address(token), byteCount: UInt32(byteCount))
        return queue.add(readable: segment, token: token.rawValue)
    }

    /// Makes the buffers of sent frames free again.
    mutating func reapSent<Queue: DriverQueue & ~Copyable>(
        _ queue: inout Queue, into pool: inout BufferPool
    ) {
        var sent: UInt64 = 0
        while let used = reap(&queue) {
            sent &+= 1
            pool.put(BufferPool.Token(rawValue: used.token))
        }
        account.left &+= sent
    }

    /// Shows the device what was added and kicks it if it asked to be.
    mutating func publish<Queue: DriverQueue & ~Copyable>(_ queue: inout Queue) {
        guard queue.publish() else { return }
        counts.kicks &+= 1
        if let errno = signals.kick.signal(), kickRefusal == nil { kickRefusal = errno }
    }
}
