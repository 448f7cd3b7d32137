import CycleBenchmark
import Testing

@Suite("Percentiles")
struct SamplesTests {
    @Test(
        "are the nearest rank, in microseconds",
        arguments: [(1, 1.0), (50, 50.0), (99, 99.0), (100, 100.0)])
    func nearestRank(percent: Int, microseconds: Double) {
        let samples = Samples((1...100).reversed().map { $0 * 1000 })
        #expect(samples.percentile(percent) == microseconds)
    }

    @Test("of an even number the median is a sample, not a mean")
    func even() { #expect(Samples([4000, 1000]).percentile(50) == 1) }

    @Test("keep fractions of a microsecond")
    func fractions() { #expect(Samples([1234]).percentile(99) == 1.234) }

    @Test("of nothing are nothing")
    func empty() { #expect(Samples().percentile(50) == nil) }
}
