public import GuestMemory
public import Virtio

/// The device side of a ring of any format: for who keeps one, and for what runs once a stop or a sleep.
///
/// Each call asks for the format and moves the queue: what runs once a chain takes the queue out with ``unwrap(_:)``.
public enum AnyDeviceQueue: DeviceQueue, ~Copyable {
    /// A split ring's.
    case split(SplitDeviceQueue)

    /// As the requirement; the features choose the format.
    ///
    /// - Throws: ``VirtQueueError/Code/unsupportedFormat`` too, where they have RING_PACKED.
    public init(
        layout: RingLayout, features: VirtioFeatures, state: QueueState, translation: inout TranslationTable
    ) throws(VirtQueueError) {
        switch try RingFormat.checked(features) {
        case .split:
            self = .split(
                try SplitDeviceQueue(
                    layout: layout, features: features, state: state, translation: &translation))
        }
    }

    /// The same where the device has quirks with a split ring.
    package init(
        layout: RingLayout, features: VirtioFeatures, state: QueueState, quirks: SplitRingQuirks,
        translation: inout TranslationTable
    ) throws(VirtQueueError) {
        switch try RingFormat.checked(features) {
        case .split:
            self = .split(
                try SplitDeviceQueue(
                    layout: layout, features: features, state: state, quirks: quirks,
                    translation: &translation))
        }
    }

    /// As the requirement ``DeviceQueue/unwrap(_:)``.
    public static func unwrap(_ queue: consuming AnyDeviceQueue) -> AnyDeviceQueue? { queue }
    /// As the requirement ``DeviceQueue/wrapped()``.
    public consuming func wrapped() -> AnyDeviceQueue { self }

    /// As the requirement ``DeviceQueue/size``.
    public var size: Int {
        switch self {
        case .split(let queue): queue.size
        }
    }
    /// As the requirement ``DeviceQueue/state``.
    public var state: QueueState {
        switch self {
        case .split(let queue): queue.state
        }
    }
    /// As the requirement ``DeviceQueue/inFlight``.
    public var inFlight: Int {
        switch self {
        case .split(let queue): queue.inFlight
        }
    }
    /// As the requirement ``DeviceQueue/isBroken``.
    public var isBroken: Bool {
        switch self {
        case .split(let queue): queue.isBroken
        }
    }
    /// As the requirement ``DeviceQueue/chainsTaken``.
    public var chainsTaken: UInt16 {
        switch self {
        case .split(let queue): queue.chainsTaken
        }
    }
    /// As the requirement ``DeviceQueue/chainsReturned``.
    public var chainsReturned: UInt16 {
        switch self {
        case .split(let queue): queue.chainsReturned
        }
    }
    /// As the requirement ``DeviceQueue/hasAvailable()``.
    public func hasAvailable() -> Bool {
        switch self {
        case .split(let queue): queue.hasAvailable()
        }
    }

    /// As the requirement ``DeviceQueue/pop(into:translation:)``.
    public mutating func pop(
        into segments: inout SegmentBuffer, translation: inout TranslationTable
    ) throws(VirtQueueError) -> DescriptorChain? {
        switch consume self {
        case .split(var queue):
            do throws(VirtQueueError) {
                let chain = try queue.pop(into: &segments, translation: &translation)
                self = .split(queue)
                return chain
            } catch {
                self = .split(queue)
                throw error
            }
        }
    }

    /// As the requirement ``DeviceQueue/rewind(_:)``.
    public mutating func rewind(_ chain: ChainHandle) {
        switch consume self {
        case .split(var queue):
            queue.rewind(chain)
            self = .split(queue)
        }
    }

    /// As the requirement ``DeviceQueue/complete(_:byteCount:)``.
    public mutating func complete(_ chain: ChainHandle, byteCount: UInt32) {
        switch consume self {
        case .split(var queue):
            queue.complete(chain, byteCount: byteCount)
            self = .split(queue)
        }
    }

    /// As the requirement ``DeviceQueue/publish()``.
    public mutating func publish() -> Bool {
        switch consume self {
        case .split(var queue):
            let wantsCall = queue.publish()
            self = .split(queue)
            return wantsCall
        }
    }

    /// As the requirement ``DeviceQueue/suppressKicks()``.
    public mutating func suppressKicks() {
        switch consume self {
        case .split(var queue):
            queue.suppressKicks()
            self = .split(queue)
        }
    }

    /// As the requirement ``DeviceQueue/requestKicks()``.
    public mutating func requestKicks() -> Bool {
        switch consume self {
        case .split(var queue):
            let isThere = queue.requestKicks()
            self = .split(queue)
            return isThere
        }
    }
}
