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
    private static let taken = Mutex<Set<UInt>>([])

    private let number: UInt
    /// Where the next memory may begin.
    private(set) var next: UInt

    init() {
        number = Self.taken.withLock { taken in
            let free = (0...UInt(taken.count)).first { !taken.contains($0) } ?? 0
            taken.insert(free)
            return free
        }
        next = Self.firstAddress + number * Self.byteCount
    }

    deinit { _ = Self.taken.withLock { $0.remove(number) } }

    /// Moves on behind `byteCount` bytes, and a gap.
    func pass(_ byteCount: Int) { next += UInt(byteCount) + ScriptMemory.gapByteCount }
}
