import Testing
import VhostVDPA

import EmulatedMachine

@Suite("Durations in a histogram") struct DurationHistogramTests {
    private func histogram(_ microseconds: [Int]) -> DurationHistogram {
        var histogram = DurationHistogram()
        for duration in microseconds { histogram.record(.microseconds(duration)) }
        return histogram
    }

    @Test("none have neither percentile, nor extremes, nor groups")
    func empty() {
        let empty = DurationHistogram()
        #expect(empty.count == 0)
        #expect(empty.percentile(50) == nil && empty.percentile(100) == nil)
        #expect(empty.minimum == nil && empty.maximum == nil)
        #expect(empty.groups == nil)
    }

    @Test(
        "a percentile is the nearest rank's, to a thousandth",
        arguments: [
            (50, [1], 1), (99, [1], 1), (50, [1, 2], 1), (51, [1, 2], 2), (50, [3, 1, 2], 2),
            (100, [3, 1, 2], 3),
            (1, [3, 1, 2], 1), (99, Array(1...100), 99), (50, Array(1...100), 50), (99, Array(1...101), 100),
            (90, Array(1...1000), 900), (99, Array(1...1000), 990), (50, [400, 90_000_000, 500], 500),
        ])
    func percentiles(percent: Int, microseconds: [Int], expected: Int) throws {
        let found = try #require(histogram(microseconds).percentile(percent))
        let error = found / .microseconds(expected) - 1
        #expect(abs(error) <= 0.001, "\(found)")
    }

    @Test("the shortest and the longest are exact, and nothing is beyond them")
    func extremes() {
        let durations = [
            Duration.nanoseconds(1_234_567), .nanoseconds(9_876_543_219), .nanoseconds(3_000_001),
        ]
        var histogram = DurationHistogram()
        for duration in durations { histogram.record(duration) }
        #expect(histogram.minimum == durations[0])
        #expect(histogram.maximum == durations[1])
        #expect(histogram.percentile(1) == durations[0])
        #expect(histogram.percentile(100) == durations[1])
    }

    @Test(
        "durations below zero and above what it tells apart are counted",
        arguments: [
            Duration.zero, .seconds(-1), DurationHistogram.longest, .seconds(1 << 40), .seconds(Int64.max),
        ])
    func outliers(duration: Duration) {
        var histogram = DurationHistogram()
        histogram.record(duration)
        #expect(histogram.count == 1)
        #expect(histogram.maximum == duration)
        #expect(histogram.percentile(50) == duration)
    }

    @Test("a million stops and starts take no more memory than one, and none of them is forgotten")
    func size() {
        var cycles = CycleStatistics()
        var counts = DeviceCallCounts()
        counts.updates = 7
        counts.ioctls = 21
        func add(_ index: Int) {
            cycles.add(
                CycleMeasurement(
                    duration: .nanoseconds(400_000 + 997 * index), stopDuration: .nanoseconds(1),
                    counts: counts,
                    rings: index % 10 != 0 ? .kept : .startedOver))
        }
        add(0)
        let size = cycles.durations.byteCount
        for index in 1..<1_000_000 { add(index) }
        #expect(cycles.durations.byteCount == size)
        #expect(size < 512 << 10)
        #expect(cycles.count == 1_000_000)
        #expect(cycles.counts.updates == 7_000_000 && cycles.counts.ioctls == 21_000_000)
        #expect(cycles.ringRestarts == 100_000)
        #expect(cycles.durations.maximum == .nanoseconds(400_000 + 997 * 999_999))
    }

    /// Durations in microseconds, and the two groups that they fall into.
    static let groups: [([Int], [Int]?)] = [
        // Two heaps, far apart.
        (Array(repeating: 400, count: 30) + Array(repeating: 1200, count: 20), [400, 1200]),
        ((390..<410).map { $0 } + (1190..<1210).map { $0 }, [400, 1200]),
        // One heap, with or without a tail.
        (Array(400..<500), nil), (Array(repeating: 400, count: 100), nil),
        (Array(repeating: 400, count: 90) + Array(repeating: 5000, count: 10), nil),
        (Array(repeating: 400, count: 95) + [600, 900, 1400, 2100, 9000], nil),
        // No gap between them.
        (stride(from: 100, to: 2000, by: 20).map { $0 }, nil),
        // Too few.
        ([400, 400, 400, 400, 1200, 1200, 1200, 1200], nil),
        (Array(repeating: 400, count: 10) + Array(repeating: 1200, count: 9), nil),
        (Array(repeating: 400, count: 10) + Array(repeating: 1200, count: 10), [400, 1200]),
    ]

    @Test("two groups with a gap between them are told, one with a tail is not", arguments: groups)
    func twoGroups(microseconds: [Int], expected: [Int]?) throws {
        let found = histogram(microseconds).groups
        guard let expected else {
            #expect(found == nil)
            return
        }
        let (short, long) = try #require(found)
        #expect(abs(short / .microseconds(expected[0]) - 1) < 0.01, "\(short)")
        #expect(abs(long / .microseconds(expected[1]) - 1) < 0.01, "\(long)")
    }
}
