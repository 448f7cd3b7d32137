import Foundation
import Testing

@testable import emu

/// What two runs show beside each other.
@Suite struct ComparisonTests {
    private static func kept(_ change: (inout RunReport) -> Void = { _ in }) -> RunReport { .sample(change) }

    /// A run in which everything went well without IOTLB_PERSIST.
    private static func notNegotiated(_ change: (inout RunReport) -> Void = { _ in }) -> RunReport {
        .sample {
            $0.setup.persistPolicy = "off"
            $0.persist.acknowledged = false
            $0.iotlb.perCycle = .init(updates: 7, invalidates: 6)
            $0.cycleTime = .init(p50: 305, p99: nil, max: 2000)
            $0.packets.sent = 1_000_000
            $0.packets.received = 1_000_000
            change(&$0)
        }
    }

    private func text(_ comparison: RunComparison) -> String { ComparisonSummary(comparison).text }

    @Test("Two runs that went well show what a stop costs without the bit")
    func bothWell() {
        let comparison = RunComparison(kept: Self.kept(), notNegotiated: Self.notNegotiated())
        #expect(comparison.ratio == 2)
        #expect(comparison.verdict == .ok)
        #expect(comparison.status == .done)
        #expect(comparison.problems == [])
        #expect(!comparison.interrupted)
        #expect(
            text(comparison) == """
                emu run --compare: sim, 1G of guest RAM in 6 sections, generator -> device -> loopback

                IOTLB_PERSIST                 kept  not negotiated
                packets sent             1,234,567       1,000,000
                packets received         1,234,567       1,000,000
                lost                             0               0
                duplicated                       0               0
                corrupted                        0               0
                abandoned                        0               0
                dropped by the device            0               0
                DMA faults                       0               0
                packets per second         123,457         123,457
                stops and starts                48              48
                updates per cycle                0               7
                invalidates per cycle            0               6
                stop and start, p50         153 µs          305 µs
                stop and start, longest    1.31 ms            2 ms

                \(ComparisonSummary.pinlessRemark)
                OK: a stop and start without IOTLB_PERSIST took 2 times as long (p50); of 1,234,567 and 1,000,000 frames \
                all came back unchanged
                """)
    }

    @Test("A row that one run has is there for both")
    func rowOfOneRun() {
        let text = text(
            RunComparison(
                kept: Self.kept { $0.cycleTime?.p99 = 900 }, notNegotiated: Self.notNegotiated()))
        #expect(text.contains("stop and start, p99         900 µs               -\n"), "\(text)")
    }

    @Test("Where frames do not come back, each run says what became of them")
    func lostFrames() {
        let comparison = RunComparison(
            kept: .betweenTAPs(),
            notNegotiated: .betweenTAPs {
                $0.persist.acknowledged = false
                $0.iotlb.perCycle = .init(updates: 7, invalidates: 6)
            })
        #expect(comparison.verdict == .ok)
        #expect(
            comparison.conclusion.contains(
                "; kept: 1,000 frames from tap:ta@left, all of them out of tap:tb; "))
        #expect(comparison.conclusion.contains("; not negotiated: 1,000 frames from tap:ta@left, "))
    }

    /// Whose times are those of a device that pins nothing.
    @Test("Of a device that pins, and of a real one, the times are its own")
    func timesOfItsOwn() {
        let pinned = RunReport.Resources.Pair(first: 4096, last: 4096)
        let pinning = RunComparison(
            kept: Self.kept { $0.resources.pinned = pinned },
            notNegotiated: Self.notNegotiated { $0.resources.pinned = pinned })
        #expect(!text(pinning).contains("waking of threads"))
        let real = RunComparison(
            kept: Self.kept { $0.setup.wire = nil }, notNegotiated: Self.notNegotiated { $0.setup.wire = nil }
        )
        #expect(!text(real).contains("waking of threads"))
    }

    @Test("What a reader of the numbers should know is said with the run's name")
    func remarks() {
        let text = text(
            RunComparison(
                kept: Self.kept(), notNegotiated: Self.notNegotiated { $0.remarks = ["the machine was busy"] }
            ))
        #expect(text.contains("\nnot negotiated: the machine was busy\n"))
    }

    /// Two runs, and what they show.
    struct Pair: CustomTestStringConvertible, Sendable {
        var name: String
        var kept = ComparisonTests.kept()
        var notNegotiated: RunReport? = ComparisonTests.notNegotiated()
        var failure: String?
        var verdict = RunReport.Verdict.wrong
        var words: String
        var testDescription: String { name }
    }

    @Test(
        "The verdict is what both runs show",
        arguments: [
            Pair(
                name: "not offered",
                kept: kept {
                    $0.persist = .init(offered: false, acknowledged: false)
                    $0.iotlb.perCycle = .init(updates: 7, invalidates: 6)
                }, verdict: .notShown,
                words:
                    "NOT SHOWN: the device does not offer IOTLB_PERSIST, so both runs mapped everything again; of "
            ),
            Pair(
                name: "no stop",
                notNegotiated: notNegotiated {
                    $0.cycles = 0
                    $0.cycleTime = nil
                    $0.iotlb.perCycle = .init(updates: 0, invalidates: 0)
                }, verdict: .notShown, words: "NOT SHOWN: not negotiated: no stop took place"),
            Pair(
                name: "no frame",
                kept: kept {
                    $0.setup.guest = "none"
                    $0.packets.sent = 0
                    $0.packets.received = 0
                    $0.accounts = [.sample(0, 0), .sample(1, 0)]
                }, verdict: .notShown,
                words: "NOT SHOWN: kept: nothing was sent, as the guest's port is none"),
            Pair(
                name: "interrupted before the second", kept: kept { $0.interrupted = true },
                notNegotiated: nil,
                verdict: .notShown,
                words:
                    "NOT SHOWN: the run without IOTLB_PERSIST did not take place (ended early: somebody asked)"
            ),
            Pair(
                name: "interrupted between the two", notNegotiated: nil, verdict: .notShown,
                words: "did not take place (ended early: somebody asked)"),
            Pair(
                name: "interrupted in the second", notNegotiated: notNegotiated { $0.interrupted = true },
                verdict: .ok, words: "all came back unchanged (ended early: somebody asked)"),
            Pair(
                name: "the second could not start", notNegotiated: nil, failure: "no memory",
                words: "WRONG: not negotiated: the run could not start: no memory"),
            Pair(
                name: "a problem in the first", kept: kept { $0.packets.lost = 1 },
                words: "WRONG: kept: 1 frame lost"),
            Pair(
                name: "problems in both", kept: kept { $0.faults = 1 },
                notNegotiated: notNegotiated { $0.packets.corrupted = 2 },
                words: "not mapped for it; not negotiated: 2 frames corrupted"),
            Pair(
                name: "maps sent although kept", kept: kept { $0.iotlb.perCycle.updates = 0.5 },
                words:
                    "WRONG: kept: maps were sent at a stop and start, although IOTLB_PERSIST was acknowledged"
            ),
            Pair(
                name: "unmaps sent although kept", kept: kept { $0.iotlb.perCycle.invalidates = 0.5 },
                words: "WRONG: kept: maps were sent"),
            Pair(
                name: "none sent although not kept",
                notNegotiated: notNegotiated { $0.iotlb.perCycle.updates = 0 },
                words: "WRONG: not negotiated: no maps were sent at a stop and start, although"),
            Pair(
                name: "no unmap although not kept",
                notNegotiated: notNegotiated { $0.iotlb.perCycle.invalidates = 0 },
                words: "WRONG: not negotiated: no maps were sent"),
            Pair(
                name: "acknowledged although it was not to be",
                notNegotiated: notNegotiated { $0.persist.acknowledged = true },
                words: "WRONG: not negotiated: IOTLB_PERSIST was acknowledged, although it was not to be"),
        ])
    func verdict(pair: Pair) {
        let comparison = RunComparison(
            kept: pair.kept, notNegotiated: pair.notNegotiated, failure: pair.failure)
        #expect(comparison.verdict == pair.verdict)
        #expect(comparison.status == (pair.verdict == .wrong ? .foundSomethingWrong : .done))
        #expect(comparison.conclusion.contains(pair.words), "\(comparison.conclusion)")
        #expect(comparison.interrupted == pair.name.contains("interrupted"))
        #expect((comparison.ratio == nil) == (comparison.notNegotiated?.cycleTime == nil))
        #expect(text(comparison).hasSuffix("\n" + comparison.conclusion))
    }

    @Test("A lost result is no OK")
    func lostResult() {
        let comparison = RunComparison(kept: Self.kept(), notNegotiated: Self.notNegotiated())
        let text = ComparisonSummary(comparison, isLost: true).text
        #expect(text.contains("\nWRONG: the result is lost; it was OK: a stop and start "), "\(text)")
    }

    @Test("A comparison is read back as it was, a run that did not take place as null")
    func roundTrip() throws {
        let whole = RunComparison(kept: Self.kept(), notNegotiated: Self.notNegotiated())
        #expect(try RunComparison.read(JSONText.encode(whole)) == whole)
        let half = RunComparison(kept: Self.kept(), notNegotiated: nil)
        let json = JSONText.encode(half)
        #expect(json.contains("\"notNegotiated\" : null") && json.contains("\"ratio\" : null"))
        #expect(try RunComparison.read(json) == half)
    }
}
