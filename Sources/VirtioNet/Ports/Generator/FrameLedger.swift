/// Follows every numbered frame of one direction from sending to its return.
///
/// Sequences count up from 0. A bitmap over the newest ones remembers which have come back. Those that slide out of
/// it without having come back go to a sorted list, so below the window a frame that is in the list is *late* (it
/// counts as received) and one that is not is a *duplicate*. An abandoned frame that returns below
/// the window counts as a duplicate: a window wider than what can be in flight never sees one.
///
/// No allocation and about 2 ns per frame in the window; below it, a binary search. The list grows by what is
/// lost, to ``missingCapacity`` at most: beyond that a frame that slides out stays outstanding for good, and
/// counts as a duplicate should it return. One thread: the one that sends and receives.
@safe
package struct FrameLedger: ~Copyable {
    /// What has been counted so far.
    package private(set) var counts = FrameCounts()

    // Assigned whole, never in place: under -sanitize=thread Swift 6.3 makes invalid code of `returned[word] |= bit`.
    /// One bit per sequence of the window: it has come back.
    private let returned: UnsafeMutablePointer<UInt64>
    /// One bit per sequence of the window: nobody will know.
    private let abandoned: UnsafeMutablePointer<UInt64>
    private let mask: UInt64
    /// The oldest sequence that the bitmaps hold; a multiple of 64.
    private var windowStart: UInt64 = 0
    /// One above the highest sequence that has come back.
    private var highest: UInt64 = 0
    /// Sequences below the window that have not come back, ascending.
    private var missing: [UInt64] = []

    /// Most sequences remembered below the window.
    package static var missingCapacity: Int { 1 << 20 }

    /// - Parameter window: sequences that the bitmaps hold; a power of two, at least 128. Up to 63 fewer at times.
    package init(window: Int = 65_536) {
        precondition(window >= 128 && window & (window - 1) == 0, "a window is a power of two from 128")
        mask = UInt64(window - 1)
        unsafe returned = .allocate(capacity: window / 64)
        unsafe returned.initialize(repeating: 0, count: window / 64)
        unsafe abandoned = .allocate(capacity: window / 64)
        unsafe abandoned.initialize(repeating: 0, count: window / 64)
    }

    deinit {
        unsafe returned.deallocate()
        unsafe abandoned.deallocate()
    }

    /// The number of the frame that ``send()`` counts next.
    package var nextSequence: UInt64 { counts.sent }

    /// Counts a frame as sent and returns its number.
    @discardableResult
    package mutating func send() -> UInt64 {
        let sequence = counts.sent
        if sequence & 63 == 0 { slide(to: sequence) }
        counts.sent = sequence &+ 1
        return sequence
    }

    /// Counts what came in.
    package mutating func receive(_ verdict: FrameVerdict) {
        switch verdict {
        case .intact(let sequence): receive(sequence)
        case .corrupted: counts.corrupted += 1
        case .foreign: counts.foreign += 1
        }
    }

    /// Counts an intact frame of this run.
    package mutating func receive(_ sequence: UInt64) {
        guard sequence < counts.sent else {
            counts.unsent += 1
            return
        }
        guard sequence >= windowStart else {
            receiveLate(sequence)
            return
        }
        let (word, bit) = place(sequence)
        guard unsafe returned[word] & bit == 0 else {
            counts.duplicated += 1
            return
        }
        unsafe returned[word] = returned[word] | bit
        counts.received &+= 1
        if unsafe abandoned[word] & bit != 0 {
            unsafe abandoned[word] = abandoned[word] & ~bit
            counts.abandoned -= 1
        }
        noteOrder(sequence)
    }

    /// Marks a frame as one whose fate nobody can know. Nothing changes where it has come back, was never sent or
    /// is abandoned already.
    package mutating func abandon(_ sequence: UInt64) {
        guard sequence < counts.sent else { return }
        guard sequence >= windowStart else {
            guard let index = missingIndex(sequence) else { return }
            missing.remove(at: index)
            counts.abandoned += 1
            return
        }
        let (word, bit) = place(sequence)
        guard unsafe (returned[word] | abandoned[word]) & bit == 0 else { return }
        unsafe abandoned[word] = abandoned[word] | bit
        counts.abandoned += 1
    }

    /// Marks every frame of `sequences` that has not come back.
    package mutating func abandon(_ sequences: Range<UInt64>) {
        for sequence in sequences.clamped(to: 0..<counts.sent) { abandon(sequence) }
    }

    /// Every frame that is outstanding, oldest first, up to `limit`: what a report names.
    package func outstandingSequences(limit: Int) -> [UInt64] {
        var found = Array(missing.prefix(limit))
        var sequence = windowStart
        while sequence < counts.sent, found.count < limit {
            let (word, bit) = place(sequence)
            if unsafe (returned[word] | abandoned[word]) & bit == 0 { found.append(sequence) }
            sequence += 1
        }
        return found
    }

    private func place(_ sequence: UInt64) -> (word: Int, bit: UInt64) {
        (Int(truncatingIfNeeded: (sequence & mask) >> 6), 1 << (sequence & 63))
    }

    /// Makes room for the 64 sequences from `sequence` on.
    private mutating func slide(to sequence: UInt64) {
        let word = place(sequence).word
        if sequence > mask {
            let settled = unsafe returned[word] | abandoned[word]
            if settled != .max { forget(settled) }
            windowStart += 64
        }
        unsafe returned[word] = 0
        unsafe abandoned[word] = 0
    }

    /// Remembers the oldest 64 sequences of the window but those of `settled`.
    @inline(never)
    private mutating func forget(_ settled: UInt64) {
        var unsettled = ~settled
        while unsettled != 0, missing.count < FrameLedger.missingCapacity {
            missing.append(windowStart + UInt64(unsettled.trailingZeroBitCount))
            unsettled &= unsettled - 1
        }
    }

    @inline(never)
    private mutating func receiveLate(_ sequence: UInt64) {
        guard let index = missingIndex(sequence) else {
            counts.duplicated += 1
            return
        }
        missing.remove(at: index)
        counts.received += 1
        noteOrder(sequence)
    }

    private mutating func noteOrder(_ sequence: UInt64) {
        if sequence < highest { counts.reordered += 1 } else { highest = sequence &+ 1 }
    }

    private func missingIndex(_ sequence: UInt64) -> Int? {
        var low = 0
        var high = missing.count
        while low < high {
            let middle = (low + high) / 2
            if missing[middle] < sequence { low = middle + 1 } else { high = middle }
        }
        return low < missing.count && missing[low] == sequence ? low : nil
    }
}
