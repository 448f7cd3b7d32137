/// Why maps cannot stand across a reset.
public enum MapFlushCause: String, CaseIterable, Hashable, Sendable {
    /// The device is about to be closed, which removes them anyway.
    case closing
    /// A start failed half way: the next one begins from nothing.
    case startFailed
    /// The maps belong to another open file or another process.
    case ownerChanged
    /// A map or unmap failed earlier: what the device holds is no longer beyond doubt.
    case mapError
    /// The next start translates addresses another way.
    case translationChanged
    /// The next start uses another address space.
    case addressSpaceChanged
    /// The user wants none kept.
    case switchedOff
    /// Without IOTLB_PERSIST the kernel may drop the device's maps in the reset, and says nothing.
    case persistNotAcknowledged
}

extension MapFlushCause: CustomStringConvertible {
    /// The cause in words.
    public var description: String {
        switch self {
        case .closing: "the device is closed"
        case .startFailed: "a start failed"
        case .ownerChanged: "the open file or the owner changed"
        case .mapError: "an earlier map or unmap failed"
        case .translationChanged: "address translation changes"
        case .addressSpaceChanged: "the address space assignment changes"
        case .switchedOff: "keeping maps is switched off"
        case .persistNotAcknowledged: "IOTLB_PERSIST is not acknowledged"
        }
    }
}
