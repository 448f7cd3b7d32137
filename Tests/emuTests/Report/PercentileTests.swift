import Testing

@testable import emu

@Suite struct PercentileTests {
    @Test(arguments: [
        (50, [1], 1), (99, [1], 1), (50, [1, 2], 1), (51, [1, 2], 2), (50, [3, 1, 2], 2),
        (100, [3, 1, 2], 3),
        (1, [3, 1, 2], 1), (99, Array(1...100), 99), (50, Array(1...100), 50), (99, Array(1...101), 100),
        (99, Array(1...99), 99),
    ])
    func `A percentile is the nearest rank's sample`(percent: Int, samples: [Int], expected: Int) {
        #expect(Percentile.nearestRank(percent, of: samples) == expected)
    }

    @Test func `No samples have no percentile`() {
        #expect(Percentile.nearestRank(50, of: [Int]()) == nil)
    }

    @Test(arguments: [1, 25, 50, 90, 99, 100], [1, 2, 3, 10, 97, 1000])
    func `At least that share of the samples is not above it, and of those below it less`(
        percent: Int, count: Int
    ) throws {
        var generator = SystemRandomNumberGenerator()
        let samples = (0..<count).map { _ in Int.random(in: 0..<50, using: &generator) }
        let value = try #require(Percentile.nearestRank(percent, of: samples))
        #expect(samples.count { $0 <= value } * 100 >= percent * count)
        #expect(samples.count { $0 < value } * 100 < percent * count)
    }

    @Test func `A run without cycles has a cycle time of zero`() {
        #expect(RunReport.CycleTime([]) == RunReport.CycleTime(p50: 0, p99: 0))
    }

    @Test func `Cycle times are in microseconds`() {
        let times = RunReport.CycleTime([.milliseconds(2), .microseconds(3), .nanoseconds(1500)])
        #expect(times == RunReport.CycleTime(p50: 3, p99: 2000))
    }
}
