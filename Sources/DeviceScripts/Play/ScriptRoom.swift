internal import Synchronization

/// A part of the process's addresses that one script's memory has to itself, as long as the object lives.
///
/// Scripts that are played at the same time lie apart: what one has unmapped stays a hole. The first of them has the same
/// addresses in every process.
final class ScriptRoom {
    /// Where the lowest room begins: below every program, where the kernel gives nobody addresses who does not ask for them,
    /// and where a sanitizer's runtime has nothing of its own.
    static let firstAddress: UInt = 0x5500_0000_0000
    private static let byteCount: UInt = 1 << 36
    private let rooms: ScriptRooms
    private let number: Int
    /// Where the next memory may begin.
    private(set) var next: UInt

    /// How many there are: far more than threads that play.
    static let count = UInt64.bitWidth

    /// Takes the lowest room that is free; `nil` where there is none.
    init?(of rooms: ScriptRooms = .process) {
        self.rooms = rooms
        var known = rooms.taken.load(ordering: .acquiring)
        while true {
            let free = (~known).trailingZeroBitCount
            guard free < Self.count else { return nil }
            let (isMine, now) = rooms.taken.compareExchange(
                expected: known, desired: known | 1 << free, ordering: .acquiringAndReleasing)
            if isMine {
                number = free
                break
            }
            known = now
        }
        next = Self.firstAddress + UInt(number) * Self.byteCount
    }

    deinit { rooms.taken.bitwiseAnd(~(1 << number), ordering: .acquiringAndReleasing) }

    /// Moves on behind `byteCount` bytes, and a gap.
    func pass(_ byteCount: Int) { next += UInt(byteCount) + ScriptMemory.gapByteCount }
}

/// Which rooms somebody has.
final class ScriptRooms: Sendable {
    /// The process's.
    static let process = ScriptRooms()
    /// A bit per room. No lock of the standard library: ThreadSanitizer does not see what it orders.
    fileprivate let taken = Atomic<UInt64>(0)
}
