import EmulatedMachine
import Testing

@testable import emu

@Suite struct CycleTimeTests {
    private func time(_ microseconds: some Sequence<Int>) -> RunReport.CycleTime? {
        var durations = DurationHistogram()
        for duration in microseconds { durations.record(.microseconds(duration)) }
        return RunReport.CycleTime(durations)
    }

    @Test("A run without cycles has no cycle time")
    func withoutCycles() {
        #expect(time([]) == nil)
    }

    @Test("A p99 is told from 100 samples on, the longest always")
    func percentile() throws {
        let few = try #require(time(1...99))
        #expect(few.p99 == nil)
        #expect(few.max == 99)
        #expect(few.p50.rounded() == 50)
        #expect(time(1...100)?.p99 != nil)
        let many = try #require(time(1...200))
        let p99 = try #require(many.p99)
        #expect(p99.rounded() == 198)
        #expect(many.max == 200)
        #expect(many.p50.rounded() == 100)
    }
}
