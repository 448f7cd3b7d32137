internal import GuestMemory
internal import VirtQueue

/// A queue in memory that can only be copied: what a pass does before and after.
extension ServedQueue {
    /// Brings what the driver has made available.
    @usableFromInline
    @inline(never)
    mutating func pullCopy() {
        guard isMarked, let copy, let next = ring?.chainsTaken else { return }
        copy.pull(next: next, translation: &table)
        noteFaults(copy)
    }

    /// Takes what was completed to the driver.
    @usableFromInline
    @inline(never)
    mutating func pushCopy(completed: UInt16) {
        guard let copy else { return }
        copy.push(completed: completed, translation: &table)
        noteFaults(copy)
    }

    /// Shows the driver that a kick is wanted; `true` where chains have come meanwhile.
    mutating func hasMoreToCopy() -> Bool {
        guard let copy else { return false }
        defer { noteFaults(copy) }
        return copy.pushWish()
    }

    private mutating func noteFaults(_ copy: SplitRingCopy) {
        for fault in copy.takeFaults() {
            counted.faults &+= 1
            report(.fault(fault, queue: index))
        }
    }
}
