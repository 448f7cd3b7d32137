import Testing

@testable import CycleBenchmark

@Suite("Physically contiguous runs")
struct PhysicalRunsTests {
    @Test(
        "count where the next page's frame is not the next frame",
        arguments: [
            ([], 0), ([5], 1), ([5, 6, 7], 1), ([5, 6, 8], 2), ([9, 8, 7], 3), ([1, 2, 1, 2], 2),
        ] as [([UInt64], Int)])
    func runs(frames: [UInt64], count: Int) { #expect(PhysicalRuns.count(frames) == count) }

    @Test("are unknown where a frame is not shown")
    func hidden() { #expect(PhysicalRuns.count([5, 0, 7] as [UInt64]) == nil) }
}
