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
    /// A bit per room that somebody has. No lock of the standard library: ThreadSanitizer does not see what it orders.
    private static let taken = Atomic<UInt64>(0)

    private let number: Int
    /// Where the next memory may begin.
    private(set) var next: UInt

    /// Takes the lowest room that is free. There are 64, far more than threads that play.
    init() {
        var known = Self.taken.load(ordering: .acquiring)
        while true {
            let free = (~known).trailingZeroBitCount
            precondition(
                free < UInt64.bitWidth, "64 scripts are played at the same time; no room is left for another")
            let (isMine, now) = Self.taken.compareExchange(
                expected: known, desired: known | 1 << free, ordering: .acquiringAndReleasing)
            if isMine {
                number = free
                break
            }
            known = now
        }
        next = Self.firstAddress + UInt(number) * Self.byteCount
    }

    deinit { Self.taken.bitwiseAnd(~(1 << number), ordering: .acquiringAndReleasing) }

    /// Moves on behind `byteCount` bytes, and a gap.
    func pass(_ byteCount: Int) { next += UInt(byteCount) + ScriptMemory.gapByteCount }
}
