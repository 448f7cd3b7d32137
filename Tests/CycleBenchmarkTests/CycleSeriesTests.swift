import Testing
import VhostVDPA

@testable import CycleBenchmark

@Suite("A series of cycles")
struct CycleSeriesTests {
    private static let timing = CycleTiming(total: 70, phases: [.reset: 30, .map: 40], span: 50)

    /// What one cycle sends, each number another.
    private static var calls: DeviceCallCounts {
        var calls = DeviceCallCounts()
        (calls.ioctls, calls.updates, calls.invalidates, calls.batches) = (20, 6, 7, 2)
        return calls
    }

    /// A series of one cycle for each purpose.
    private static func series(_ purposes: CycleSchedule.Turn.Purpose...) -> CycleSeries {
        var series = CycleSeries(.remap, FixedOutcome.setup())
        for purpose in purposes { series.add(timing, calls, purpose) }
        return series
    }

    @Test("nothing of a warm-up is in it")
    func warmUp() {
        let series = Self.series(.warmUp)
        #expect(series.cycles.isEmpty && series.spans.isEmpty && series.phases.isEmpty)
        #expect(series.phaseCycles == 0 && series.counts == DeviceCallCounts())
    }

    @Test(
        "a whole cycle has its time in it, one by phases those of the phases, zero for one that it does not have"
    )
    func cycles() {
        let series = Self.series(.whole, .whole, .phases)
        #expect(series.cycles.values == [70, 70] && series.phaseCycles == 1 && series.spans.isEmpty)
        #expect(series.phases[.reset]?.values == [30] && series.phases[.map]?.values == [40])
        #expect(series.phases[.enable]?.values == [0])
    }

    @Test("a cycle under traffic has its span in it, and no calls: they are those of cycles with idle queues")
    func traffic() {
        let series = Self.series(.traffic)
        #expect(series.spans.values == [50] && series.cycles.isEmpty && series.counts == DeviceCallCounts())
    }

    @Test("the calls of whole cycles and of those by phases are added up, each kind on its own")
    func calls() {
        var sum = Self.calls
        sum += Self.calls
        #expect(Self.series(.whole, .phases, .warmUp, .traffic).counts == sum)
    }

    @Test("of a phase the median is told")
    func phaseMedian() throws {
        var series = FixedOutcome.series(.remap)
        series.phases[.reset] = FixedOutcome.samples([4, 41, 5000])
        #expect(try #require(CycleReport.Result(series)).phases["reset"] == 41)
    }
}
