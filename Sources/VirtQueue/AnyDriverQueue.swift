public import GuestMemory
public import Virtio

/// The driver side of a ring of any format; see ``AnyDeviceQueue``.
public enum AnyDriverQueue: DriverQueue, ~Copyable {
    /// A split ring's.
    case split(SplitDriverQueue)

    /// As the requirement; the features choose the format.
    ///
    /// - Throws: ``VirtQueueError/Code/unsupportedFormat`` too, where they have RING_PACKED.
    @unsafe
    public init(
        size: UInt16, features: VirtioFeatures, memory: UnsafeMutableRawPointer, state: QueueState
    ) throws(VirtQueueError) {
        switch try RingFormat.checked(features) {
        case .split:
            self = .split(
                unsafe try SplitDriverQueue(size: size, features: features, memory: memory, state: state))
        }
    }

    /// As the requirement ``DriverQueue/unwrap(_:)``.
    public static func unwrap(_ queue: consuming AnyDriverQueue) -> AnyDriverQueue? { queue }
    /// As the requirement ``DriverQueue/wrapped()``.
    public consuming func wrapped() -> AnyDriverQueue { self }

    /// As the requirement ``DriverQueue/size``.
    public var size: Int {
        switch self {
        case .split(let queue): queue.size
        }
    }
    /// As the requirement ``DriverQueue/freeDescriptors``.
    public var freeDescriptors: Int {
        switch self {
        case .split(let queue): queue.freeDescriptors
        }
    }
    /// As the requirement ``DriverQueue/inFlight``.
    public var inFlight: Int {
        switch self {
        case .split(let queue): queue.inFlight
        }
    }
    /// As the requirement ``DriverQueue/chainsReaped``.
    public var chainsReaped: UInt16 {
        switch self {
        case .split(let queue): queue.chainsReaped
        }
    }
    /// As the requirement ``DriverQueue/isBroken``.
    public var isBroken: Bool {
        switch self {
        case .split(let queue): queue.isBroken
        }
    }
    /// As the requirement ``DriverQueue/hasUsed()``.
    public func hasUsed() -> Bool {
        switch self {
        case .split(let queue): queue.hasUsed()
        }
    }

    /// As the requirement ``DriverQueue/add(readable:token:)``.
    public mutating func add(readable: DriverSegment, token: UInt32) -> Bool {
        switch consume self {
        case .split(var queue):
            let isAdded = queue.add(readable: readable, token: token)
            self = .split(queue)
            return isAdded
        }
    }

    /// As the requirement ``DriverQueue/add(writable:token:)``.
    public mutating func add(writable: DriverSegment, token: UInt32) -> Bool {
        switch consume self {
        case .split(var queue):
            let isAdded = queue.add(writable: writable, token: token)
            self = .split(queue)
            return isAdded
        }
    }

    /// As the requirement `DriverQueue.add(readable:writable:token:)`.
    public mutating func add(readable: DriverSegment, writable: DriverSegment, token: UInt32) -> Bool {
        switch consume self {
        case .split(var queue):
            let isAdded = queue.add(readable: readable, writable: writable, token: token)
            self = .split(queue)
            return isAdded
        }
    }

    /// As the requirement `DriverQueue.add(readable:writable:token:)`.
    @unsafe
    public mutating func add(
        readable: UnsafeBufferPointer<DriverSegment>, writable: UnsafeBufferPointer<DriverSegment>,
        token: UInt32
    ) -> Bool {
        switch consume self {
        case .split(var queue):
            let isAdded = unsafe queue.add(readable: readable, writable: writable, token: token)
            self = .split(queue)
            return isAdded
        }
    }

    /// As the requirement ``DriverQueue/add(readable:writable:token:indirectTable:at:)``.
    @unsafe
    public mutating func add(
        readable: UnsafeBufferPointer<DriverSegment>, writable: UnsafeBufferPointer<DriverSegment>,
        token: UInt32, indirectTable table: UnsafeMutableRawPointer, at address: IOVirtualAddress
    ) -> Bool {
        switch consume self {
        case .split(var queue):
            let isAdded = unsafe queue.add(
                readable: readable, writable: writable, token: token, indirectTable: table, at: address)
            self = .split(queue)
            return isAdded
        }
    }

    /// As the requirement ``DriverQueue/publish()``.
    public mutating func publish() -> Bool {
        switch consume self {
        case .split(var queue):
            let wantsKick = queue.publish()
            self = .split(queue)
            return wantsKick
        }
    }

    /// As the requirement ``DriverQueue/reap()``.
    public mutating func reap() throws(VirtQueueError) -> UsedChain? {
        switch consume self {
        case .split(var queue):
            do throws(VirtQueueError) {
                let chain = try queue.reap()
                self = .split(queue)
                return chain
            } catch {
                self = .split(queue)
                throw error
            }
        }
    }

    /// As the requirement ``DriverQueue/suppressCalls()``.
    public mutating func suppressCalls() {
        switch consume self {
        case .split(var queue):
            queue.suppressCalls()
            self = .split(queue)
        }
    }

    /// As the requirement ``DriverQueue/requestCalls(after:)``.
    public mutating func requestCalls(after chains: Int) -> Bool {
        switch consume self {
        case .split(var queue):
            let isThere = queue.requestCalls(after: chains)
            self = .split(queue)
            return isThere
        }
    }

    /// As the requirement ``DriverQueue/reset(to:)``.
    public mutating func reset(to state: QueueState) {
        switch consume self {
        case .split(var queue):
            queue.reset(to: state)
            self = .split(queue)
        }
    }

    /// The tokens of the chains that are added and not reaped, in no order. O(size), with an allocation.
    package var tokensInFlight: [UInt32] {
        switch self {
        case .split(let queue): queue.tokensInFlight
        }
    }

    /// As the requirement ``DriverQueue/detach()``.
    public mutating func detach() -> UInt32? {
        switch consume self {
        case .split(var queue):
            let token = queue.detach()
            self = .split(queue)
            return token
        }
    }
}
