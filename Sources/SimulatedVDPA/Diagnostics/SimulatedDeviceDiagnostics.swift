package import GuestMemory

/// A simulated device seen from both sides of its character device.
///
/// The device's view and vhost-vdpa's are kept apart because they may differ: a reset that drops the device's
/// maps leaves vhost-vdpa's entries, and that difference is what this project is about.
package struct SimulatedDeviceDiagnostics: Sendable {
    package var device: ParentDiagnostics
    /// vhost-vdpa's entries by address space; only spaces that exist are here, none while the device is closed.
    package var vhostEntries: [UInt32: [TranslationEntry]]
    package var pinnedPages: Int
    package var isOpen: Bool
    /// The latest map failures with the errno that EFAULT hides, oldest first.
    package var mapFailures: [MapFailure]
}
