/// Where a device stands, as the backend drives it.
public enum BackendState: String, CaseIterable, Hashable, Sendable {
    /// Negotiated, and never started.
    case opened
    /// The device runs: DRIVER_OK is set.
    case started
    /// The device is suspended where it stood, and neither reset nor set up anew: it can go on, or be stopped.
    case suspended
    /// The device is reset and ready to start again.
    case stopped
    /// A reset or the removal of the maps failed: what the device holds is unknown. Only closing is possible.
    case failed
    /// The device file is closed.
    case closed

    /// Whether the device can be asked and told anything.
    var isUsable: Bool {
        switch self {
        case .opened, .started, .suspended, .stopped: true
        case .failed, .closed: false
        }
    }
}

/// What a configuration interrupt was about.
public enum ConfigurationEvent: Hashable, Sendable {
    /// No interrupt was pending.
    case none
    /// The configuration space may have changed: read it again.
    case changed
    /// The device works no more until it is reset: stop it with ``ResetReason/recovery`` and start it again. Of a
    /// device that does not run there is nothing to stop: the next start finds it reset.
    case needsReset
}
