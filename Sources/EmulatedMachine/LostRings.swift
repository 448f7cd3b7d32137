package import VhostVDPABackend

/// What is done with the rings of a device that did not say where they stood.
package enum LostRings: String, CaseIterable, Sendable {
    /// The driver starts over with empty rings; what was in them is abandoned.
    case startOver = "start-over"
    /// The rings go on from their used index, as QEMU's do; see ``VhostVDPABackend/recoveredBase(of:)``. Where even that
    /// cannot be read, after a device that asked for a reset, and where a device has broken a ring, they start over.
    case recover
}

/// What became of the rings over a stop and the start after it.
package enum RingOutcome: Hashable, Sendable {
    /// They went on where the device said that they stood.
    case kept
    /// They went on where their used index says, as the device did not say.
    case recovered
    /// The driver started over with empty ones.
    case startedOver
}

/// A device that was stopped and whose rings the driver has yet to take back. Noncopyable: it does so once at the most.
package struct StoppedDevice: ~Copyable {
    /// Where each ring stood, by vring index.
    package let states: [VringState]
}
