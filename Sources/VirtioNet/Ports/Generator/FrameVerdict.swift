/// What a received frame turns out to be.
package enum FrameVerdict: Equatable, Sendable {
    /// One of this run's frames, every byte as it was written.
    case intact(sequence: UInt64)
    /// Meant to be a generated frame and changed, cut or lengthened on its way.
    case corrupted
    /// Somebody else's: other traffic, or another run's frame.
    case foreign
}
