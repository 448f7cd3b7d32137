/// Why a device is reset.
public enum ResetReason: String, CaseIterable, Hashable, Sendable {
    /// The device stops and starts again with the same guest: a pause, a migration, a switch.
    case stop
    /// The guest's driver resets the device, a reboot included.
    case guestReset
    /// The backend itself resets it, between the first map and DRIVER_OK, to try something out.
    case probeReset
    /// The backend switches between passing rings through and shadowing them.
    case modeSwitch
    /// The device asked for it (NEEDS_RESET).
    case recovery
    /// A start failed half way, and is taken back.
    case failedStart
    /// The device is about to be closed.
    case close
}
