internal import Logging
public import VhostVDPA

/// Whether a device's maps stand across a reset.
///
/// Maps that are kept are neither removed nor made again: the kernel refuses an UPDATE over a standing map. Maps
/// that are flushed are removed around the reset and made again by the next start.
public enum MapDecision: Hashable, Sendable {
    /// The kernel promises that the device keeps them.
    case keep
    /// The kernel promises nothing; the user asked for it (``PersistPolicy/force``).
    case keepWithoutPromise
    /// They must go, and why.
    case flush(MapFlushCause)

    /// Whether the maps stand.
    public var keepsMaps: Bool {
        switch self {
        case .keep, .keepWithoutPromise: true
        case .flush: false
        }
    }

    /// Decides. Pure.
    ///
    /// The causes are asked in a fixed order, the most fundamental first, so that the one reported is the one
    /// that would remain if the others went away.
    public static func decide(_ input: MapDecisionInput) -> MapDecision {
        if input.reason == .close { return .flush(.closing) }
        if input.reason == .failedStart { return .flush(.startFailed) }
        if !input.isOwner { return .flush(.ownerChanged) }
        if input.hadMapError { return .flush(.mapError) }
        if input.policy == .off { return .flush(.switchedOff) }
        if input.acknowledged.contains(.iotlbPersist) { return .keep }
        return input.policy == .force ? .keepWithoutPromise : .flush(.persistNotAcknowledged)
    }

    /// Says what becomes of the maps. For a decision that is not the last one's: a device is reset often.
    func log(_ reason: ResetReason, _ logger: Logger) {
        switch self {
        case .keep: logger.debug("reset (\(reason)): maps kept")
        case .keepWithoutPromise:
            logger.warning(
                """
                reset (\(reason)): maps kept although IOTLB_PERSIST is not acknowledged (forced): the device may \
                have lost them
                """)
        case .flush(let cause): logger.debug("reset (\(reason)): maps removed: \(cause)")
        }
    }
}

/// Everything that decides whether a device's maps may stand across a reset, at the moment of the reset.
public struct MapDecisionInput: Hashable, Sendable {
    /// The backend features in force *now*: the kernel looks at them when it resets, not when it maps.
    public var acknowledged: BackendFeatures
    /// Whether this is the process that opened the device: the maps are of its memory, and a child of fork(2) has
    /// another one.
    public var isOwner: Bool
    /// Whether a map or unmap has failed since the maps were last known to be empty.
    public var hadMapError: Bool
    /// Why the device is reset.
    public var reason: ResetReason
    /// What the user wants.
    public var policy: PersistPolicy

    /// An input of its parts.
    public init(
        acknowledged: BackendFeatures, isOwner: Bool, hadMapError: Bool, reason: ResetReason,
        policy: PersistPolicy
    ) {
        self.acknowledged = acknowledged
        self.isOwner = isOwner
        self.hadMapError = hadMapError
        self.reason = reason
        self.policy = policy
    }
}

/// Why a device is reset.
public enum ResetReason: String, CaseIterable, Hashable, Sendable {
    /// The device stops and starts again with the same guest: a pause, a migration, a switch.
    case stop
    /// The guest's driver resets the device, a reboot included.
    case guestReset
    /// The device asked for it (NEEDS_RESET).
    case recovery
    /// A start failed half way, and is taken back.
    case failedStart
    /// The device is about to be closed.
    case close
}

/// Why maps cannot stand across a reset.
public enum MapFlushCause: String, CaseIterable, Hashable, Sendable {
    /// The device is about to be closed, which removes them anyway.
    case closing
    /// A start failed half way: the next one begins from nothing.
    case startFailed
    /// The maps are of another process's memory.
    case ownerChanged
    /// A map or unmap failed earlier: what the device holds is no longer beyond doubt.
    case mapError
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
        case .ownerChanged: "another process opened the device"
        case .mapError: "an earlier map or unmap failed"
        case .switchedOff: "keeping maps is switched off"
        case .persistNotAcknowledged: "IOTLB_PERSIST is not acknowledged"
        }
    }
}
