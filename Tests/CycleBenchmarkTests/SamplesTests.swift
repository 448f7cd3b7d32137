import CycleBenchmark
import Foundation
import Testing

@testable import struct CycleBenchmark.CycleTimes

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
    func empty() {
        #expect(Samples().percentile(50) == nil)
        #expect(CycleTimes(Samples()) == nil)
    }

    @Test(
        "samples beyond the limit take no memory; count, least and most stay exact, and the rest is a fair choice"
    )
    func bounded() throws {
        var samples = Samples(limit: 1000)
        for value in 1...200_000 { samples.append(UInt64(value)) }
        #expect(samples.values.count == 1000)
        #expect(samples.count == 200_000)
        #expect(!samples.isComplete)
        #expect(samples.minimum == 0.001 && samples.maximum == 200)
        // Five standard deviations of a quantile of a thousand samples: 16 of 200.
        for percent in [25, 50, 75] {
            let value = try #require(samples.percentile(percent))
            #expect(abs(value - 2 * Double(percent)) < 16, "\(percent): \(value)")
        }
    }

    @Test("those kept beyond the limit are the same in every run and version")
    func same() {
        var samples = Samples(limit: 8)
        for value in 1...1000 { samples.append(UInt64(value)) }
        #expect(samples.values == [830, 512, 575, 52, 328, 552, 995, 104])
    }

    @Test("up to the limit every sample is there, in its order")
    func complete() {
        let samples = Samples([3, 1, 2], limit: 3)
        #expect(samples.values == [3, 1, 2] && samples.isComplete)
    }

    @Test(
        "a 99th percentile takes a hundred samples, quartiles take four", arguments: [1, 3, 4, 99, 100, 101])
    func carried(count: Int) throws {
        let times = try #require(CycleTimes(Samples((1...count).map { UInt64($0) * 1000 })))
        #expect((times.p99 == nil) == (count < 100))
        #expect((times.p25 == nil) == (count < 4))
        #expect((times.p75 == nil) == (count < 4))
        #expect(times.min == 1 && times.max == Double(count))
        #expect(times.farthest == (count < 100 ? Double(count) : Double(count - 1)))
        #expect((times.spreadText == "–") == (count < 4))
        // Below a head that says p99, a maximum says that it is one.
        #expect(times.farthestText(below: .p99).hasPrefix("max ") == (count < 100))
        #expect(!times.farthestText(below: .maximum).hasPrefix("max "))
    }

    @Test("what the samples do not carry is null in JSON")
    func null() throws {
        let times = try #require(CycleTimes(Samples([1000, 2000])))
        let object = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(times)) as? [String: Any])
        #expect(Set(object.keys) == ["p50", "p25", "p75", "p99", "min", "max", "modes"])
        for key in ["p25", "p75", "p99", "modes"] { #expect(object[key] is NSNull, "\(key)") }
    }

    @Test("the spread is the middle half's width as a part of the median")
    func spread() throws {
        let times = try #require(CycleTimes(Samples([80, 90, 100, 110, 120].map { $0 * 1000 })))
        #expect(times.spreadText == "20 %")
    }
}
