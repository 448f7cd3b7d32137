/// What a configuration interrupt was about.
public enum ConfigurationEvent: Hashable, Sendable {
    /// No interrupt was pending.
    case none
    /// The configuration space may have changed: read it again.
    case changed
    /// The device works no more until it is reset: stop it with ``ResetReason/recovery`` and start it again.
    case needsReset
}
