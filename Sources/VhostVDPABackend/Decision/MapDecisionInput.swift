public import VhostVDPA

/// Everything that decides whether a device's maps may stand across a reset, at the moment of the reset.
public struct MapDecisionInput: Hashable, Sendable {
    /// The backend features in force *now*: the kernel looks at them when it resets, not when it maps.
    public var acknowledged: BackendFeatures
    /// Whether the next start translates addresses as the last one did.
    ///
    /// Not so where data queues switch to shadow rings, unless descriptors have a group of their own.
    public var isTranslationUnchanged: Bool
    /// Whether the next start puts every group into the address space it is in now.
    public var isASIDAssignmentUnchanged: Bool
    /// Whether the file descriptor that the maps were made through stays open, in the process that owns it.
    public var hasSameDescriptorAndOwner: Bool
    /// Whether a map or unmap has failed since the maps were last known to be empty.
    public var hadMapError: Bool
    /// Why the device is reset.
    public var reason: ResetReason
    /// What the user wants.
    public var policy: PersistPolicy

    /// An input of its parts.
    public init(
        acknowledged: BackendFeatures, isTranslationUnchanged: Bool, isASIDAssignmentUnchanged: Bool,
        hasSameDescriptorAndOwner: Bool, hadMapError: Bool, reason: ResetReason, policy: PersistPolicy
    ) {
        self.acknowledged = acknowledged
        self.isTranslationUnchanged = isTranslationUnchanged
        self.isASIDAssignmentUnchanged = isASIDAssignmentUnchanged
        self.hasSameDescriptorAndOwner = hasSameDescriptorAndOwner
        self.hadMapError = hadMapError
        self.reason = reason
        self.policy = policy
    }
}
