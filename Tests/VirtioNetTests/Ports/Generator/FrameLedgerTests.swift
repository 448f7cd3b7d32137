import SeededRandom
import Testing

@testable import VirtioNet

/// What the ledger's rules say, with sets of everything ever sent and no window but the documented one.
private struct LedgerOracle {
    var counts = FrameCounts()
    var returned: Set<UInt64> = []
    var abandoned: Set<UInt64> = []
    var highest: UInt64?
    let window: UInt64

    var windowStart: UInt64 {
        guard counts.sent > 0 else { return 0 }
        let newest = (counts.sent - 1) / 64 * 64
        return newest + 64 > window ? newest + 64 - window : 0
    }

    mutating func receive(_ sequence: UInt64) {
        if sequence >= counts.sent {
            counts.unsent += 1
        } else if returned.contains(sequence) || (abandoned.contains(sequence) && sequence < windowStart) {
            counts.duplicated += 1
        } else {
            returned.insert(sequence)
            counts.received += 1
            if abandoned.remove(sequence) != nil { counts.abandoned -= 1 }
            if let highest, sequence < highest { counts.reordered += 1 }
            highest = max(highest ?? 0, sequence)
        }
    }

    mutating func abandon(_ sequence: UInt64) {
        guard sequence < counts.sent, !returned.contains(sequence) else { return }
        if abandoned.insert(sequence).inserted { counts.abandoned += 1 }
    }

    var outstanding: [UInt64] {
        (0..<counts.sent).filter { !returned.contains($0) && !abandoned.contains($0) }
    }
}

@Suite struct FrameLedgerTests {
    @Test(
        "Frames that all come back in order leave nothing outstanding", arguments: [1, 63, 64, 65, 128, 1000])
    func inOrder(count: Int) {
        var ledger = FrameLedger(window: 128)
        for _ in 0..<count {
            let sequence = ledger.send()
            ledger.receive(.intact(sequence: sequence))
        }
        let counts = ledger.counts
        #expect(counts.sent == UInt64(count))
        #expect(counts.received == UInt64(count))
        #expect(counts.outstanding == 0)
        #expect(counts.duplicated == 0 && counts.reordered == 0)
    }

    @Test(
        "A frame that never comes back is outstanding, and named",
        arguments: [0, 63, 64, 500, 999] as [UInt64])
    func lost(missing: UInt64) {
        var ledger = FrameLedger(window: 128)
        for _ in 0..<1000 {
            let sequence = ledger.send()
            if sequence != missing { ledger.receive(sequence) }
        }
        #expect(ledger.counts.outstanding == 1)
        #expect(ledger.outstandingSequences(limit: 10) == [missing])
    }

    @Test("A frame below the window is late the first time and a duplicate the second")
    func belowWindow() {
        var ledger = FrameLedger(window: 128)
        for _ in 0..<1000 {
            let sequence = ledger.send()
            if sequence != 5 { ledger.receive(sequence) }
        }
        ledger.receive(5)
        #expect(ledger.counts.outstanding == 0)
        #expect(ledger.counts.reordered == 1)
        #expect(ledger.counts.duplicated == 0)
        ledger.receive(5)
        ledger.receive(6)
        #expect(ledger.counts.duplicated == 2)
        #expect(ledger.counts.received == 1000)
    }

    @Test("A duplicate hides no loss")
    func duplicateAndLoss() {
        var ledger = FrameLedger(window: 128)
        for _ in 0..<1000 {
            let sequence = ledger.send()
            if sequence != 5 { ledger.receive(sequence) }
        }
        ledger.receive(4)
        ledger.receive(999)
        #expect(ledger.counts.duplicated == 2)
        #expect(ledger.counts.outstanding == 1)
    }

    @Test("An abandoned frame is not lost, and counts as received should it come back")
    func abandoned() {
        var ledger = FrameLedger(window: 128)
        for _ in 0..<10 { ledger.send() }
        for sequence in 0..<4 { ledger.receive(UInt64(sequence)) }
        ledger.abandon(2..<20)
        #expect(ledger.counts.abandoned == 6)
        #expect(ledger.counts.outstanding == 0)
        ledger.receive(7)
        #expect(ledger.counts.abandoned == 5)
        #expect(ledger.counts.received == 5)
        #expect(ledger.counts.duplicated == 0)
        ledger.receive(7)
        #expect(ledger.counts.duplicated == 1)
    }

    @Test("Corrupted and foreign frames and numbers nobody sent are counted and settle nothing")
    func others() {
        var ledger = FrameLedger()
        ledger.send()
        ledger.receive(.corrupted)
        ledger.receive(.foreign)
        ledger.receive(.intact(sequence: 1))
        ledger.receive(.intact(sequence: .max))
        let counts = ledger.counts
        #expect(counts.corrupted == 1 && counts.foreign == 1 && counts.unsent == 2)
        #expect(counts.received == 0 && counts.outstanding == 1)
    }

    @Test("Whatever happens to frames, the account is that of plain sets", arguments: 0..<20)
    func oracle(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let window = 128 << Int(seed % 3)
        var ledger = FrameLedger(window: window)
        var oracle = LedgerOracle(window: UInt64(window))
        var inFlight: [UInt64] = []
        // Some seeds lose much, some keep long queues, some abandon.
        let keep = Int.random(in: 1...600, using: &random)
        let loss = Int.random(in: 0...20, using: &random)
        for step in 0..<6000 {
            switch Int.random(in: 0..<100, using: &random) {
            case ..<50:
                inFlight.append(ledger.send())
                oracle.counts.sent += 1
            case ..<90 where !inFlight.isEmpty:
                // Mostly the oldest; at times any.
                let index =
                    inFlight.count > keep || Bool.random(using: &random)
                    ? 0 : Int.random(in: 0..<inFlight.count, using: &random)
                let sequence = inFlight.remove(at: index)
                if Int.random(in: 0..<100, using: &random) < loss { continue }
                ledger.receive(sequence)
                oracle.receive(sequence)
            case ..<94:
                // Any number at all: a duplicate, a lost one that comes late, or one nobody sent.
                let sequence = UInt64.random(in: 0...ledger.nextSequence + 1, using: &random)
                ledger.receive(sequence)
                oracle.receive(sequence)
            case ..<96:
                ledger.receive(.corrupted)
                oracle.counts.corrupted += 1
            case ..<98:
                let low = UInt64.random(in: 0...ledger.nextSequence, using: &random)
                let range = low..<low + UInt64.random(in: 0...40, using: &random)
                ledger.abandon(range)
                for sequence in range { oracle.abandon(sequence) }
            default:
                ledger.receive(.foreign)
                oracle.counts.foreign += 1
            }
            if step % 500 == 0 { #expect(ledger.counts == oracle.counts, "step \(step)") }
        }
        #expect(ledger.counts == oracle.counts)
        let outstanding = oracle.outstanding
        #expect(ledger.counts.outstanding == UInt64(outstanding.count))
        #expect(ledger.outstandingSequences(limit: .max) == outstanding)
        #expect(ledger.outstandingSequences(limit: 3) == Array(outstanding.prefix(3)))
    }
}
