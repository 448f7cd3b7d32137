/// What a request carries to its completion: who asked, in which life of that asker, and for which slot.
///
/// Packed into the 64 bits io_uring gives back untouched: kind (8), queue (16), generation (16), slot (24), from
/// the top. An owner that restarts takes the next generation; a completion whose generation is not the owner's
/// own is stale and must be counted off, never acted on. Trivial: no storage outside its eight bytes.
public struct UserData: Equatable, Hashable, Sendable {
    /// The 64 bits as the ring carries them.
    public let rawValue: UInt64

    /// The kind that the ring keeps for itself; liburing's own requests carry it too.
    @inlinable public static var reservedKind: UInt8 { 0xff }

    /// The largest slot that fits.
    @inlinable public static var maximumSlot: Int { 0xff_ffff }

    /// For a request whose completion tells its owner nothing.
    @inlinable public static var ignored: UserData { UserData(rawValue: 0xff00_0000_0000_0000) }

    /// The user data that a completion brought back.
    @inlinable
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Packs the parts.
    ///
    /// - Precondition: `kind` is below ``reservedKind``, `queue` fits 16 bits, `slot` is at most ``maximumSlot``.
    @inlinable
    public init(kind: UInt8, queue: Int = 0, generation: UInt16 = 0, slot: Int = 0) {
        precondition(kind != UserData.reservedKind, "kind 0xff belongs to the ring")
        precondition(UInt(bitPattern: queue) <= 0xffff, "a queue number fits 16 bits")
        precondition(UInt(bitPattern: slot) <= 0xff_ffff, "a slot fits 24 bits")
        rawValue =
            UInt64(kind) << 56
            | UInt64(truncatingIfNeeded: queue) << 40
            | UInt64(generation) << 24
            | UInt64(truncatingIfNeeded: slot)
    }

    /// Which of the owner's operations this is; the owner numbers them.
    @inlinable public var kind: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 56) }

    /// The queue the request serves.
    @inlinable public var queue: Int { Int(truncatingIfNeeded: rawValue >> 40 & 0xffff) }

    /// The life of the queue in which it was made; wraps around.
    @inlinable public var generation: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 24) }

    /// The owner's place for what the request needs while in flight.
    @inlinable public var slot: Int { Int(truncatingIfNeeded: rawValue & 0xff_ffff) }
}
