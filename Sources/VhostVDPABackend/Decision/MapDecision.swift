internal import VhostVDPA

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
    @inline(__always)
    public static func decide(_ input: MapDecisionInput) -> MapDecision {
        if input.reason == .close { return .flush(.closing) }
        if input.reason == .failedStart { return .flush(.startFailed) }
        if !input.hasSameDescriptorAndOwner { return .flush(.ownerChanged) }
        if input.hadMapError { return .flush(.mapError) }
        if !input.isTranslationUnchanged { return .flush(.translationChanged) }
        if !input.isASIDAssignmentUnchanged { return .flush(.addressSpaceChanged) }
        if input.policy == .off { return .flush(.switchedOff) }
        if input.acknowledged.contains(.iotlbPersist) { return .keep }
        return input.policy == .force ? .keepWithoutPromise : .flush(.persistNotAcknowledged)
    }
}
