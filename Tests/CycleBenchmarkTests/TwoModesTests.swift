import CycleBenchmark
import Glibc
import Testing

@Suite("Times of two kinds")
struct TwoModesTests {
    /// A bell of values around `mean` of this relative width, the same every time.
    private static func bell(_ mean: Double, _ width: Double, _ count: Int) -> [UInt64] {
        (0..<count).map { index in
            let place = (Double(index) + 0.5) / Double(count)
            // The logistic distribution's quantiles: near to a normal one's, with longer tails.
            let deviation = 0.55 * -log(1 / place - 1)
            return UInt64(mean * (1 + width * deviation))
        }
    }

    @Test("are seen where they lie apart, with the median and the part of each", arguments: [0.2, 0.5, 0.8])
    func two(slowShare: Double) throws {
        let slow = Int(slowShare * 200)
        let samples = Samples(Self.bell(30_000, 0.03, 200 - slow) + Self.bell(50_000, 0.03, slow))
        let modes = try #require(TwoModes(samples))
        #expect(abs(modes.quick - 30) < 1)
        #expect(abs(modes.slow - 50) < 1)
        #expect(abs(modes.slowShare - slowShare) < 0.001)
    }

    static let one: [(String, [UInt64])] = [
        ("a bell", bell(30_000, 0.05, 200)), ("a wide bell", bell(30_000, 0.3, 200)),
        ("even", (0..<200).map { 20_000 + $0 * 100 }), ("all alike", [UInt64](repeating: 5000, count: 200)),
        ("a bell with outliers", bell(30_000, 0.03, 200) + bell(300_000, 0.03, 10)),
        ("a long tail", (1...200).map { 2_000_000 / $0 }),
        ("too near to matter", bell(30_000, 0.005, 100) + bell(33_000, 0.005, 100)),
        ("too few to tell", bell(30_000, 0.03, 9) + bell(50_000, 0.03, 9)), ("none", []),
        ("a clock that stands still", [UInt64](repeating: 0, count: 200)),
    ]

    @Test("are not seen where there is one kind", arguments: one)
    func single(_ name: String, _ values: [UInt64]) {
        #expect(TwoModes(Samples(values)) == nil, "\(name)")
    }
}
