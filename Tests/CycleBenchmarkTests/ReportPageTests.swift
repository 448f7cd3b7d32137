import EmulatedMachine
import GuestMemory
import SimulatedVDPA
import TestSupport
import Testing

@testable import CycleBenchmark

@Suite("The report's page", .timeLimit(.minutes(15)))
struct ReportPageTests {
    @Test(
        "shows times with three significant digits in the unit people use",
        arguments: [
            (0.5, "0.5 µs"), (3.14159, "3.14 µs"), (999.4, "999 µs"), (999.6, "1 ms"), (1000, "1 ms"),
            (999_600, "1 s"),
            (999_400, "999 ms"), (135_120, "135 ms"),
            (40_060, "40.1 ms"), (2_500_000, "2.5 s"),
        ])
    func times(microseconds: Double, text: String) { #expect(FigureText.time(microseconds) == text) }

    @Test(
        "shows memory in binary units",
        arguments: [(1 << 30, "1 GiB"), (256 << 20, "256 MiB"), (1 << 40, "1 TiB"), (1000, "1000 B")])
    func memory(bytes: UInt64, text: String) { #expect(FigureText.memory(bytes) == text) }

    @Test(
        "shows coordinates with one digit",
        arguments: [(1, "1"), (1.26, "1.3"), (-0.5, "-0.5"), (-2, "-2"), (0.04, "0")])
    func coordinates(value: Double, text: String) { #expect(FigureText.coordinate(value) == text) }

    @Test("puts every value between the ends of a logarithmic axis, a power of its base on a mark")
    func scale() {
        let scale = LogarithmicScale([30, 135_000], base: 10, from: 0, to: 100)
        #expect(scale.ticks.map { $0.rounded() } == [10, 100, 1000, 10_000, 100_000, 1_000_000])
        #expect(scale.position(10) == 0)
        #expect(abs(scale.position(1_000_000) - 100) < 1e-9)
        #expect(abs(scale.position(1000) - 40) < 1e-9)
        #expect(scale.position(30) < scale.position(31))
    }

    @Test("gives one value an axis too")
    func single() {
        let scale = LogarithmicScale([1024], base: 2, from: 0, to: 10)
        #expect(scale.lowest == 10 && scale.highest == 11)
        #expect(scale.position(1024) == 0)
    }

    @Test("needs nothing from elsewhere, and no name in it becomes markup")
    func page() throws {
        let outcome = try CycleBenchmark(
            CyclePlan(
                device: .simulated(try SimulatedDeviceSpecification(parsing: "sim")), deviceName: "<b>&",
                memory: [.mebibytes(64), .mebibytes(128)], strategies: [.remap, .persist, .resume], cycles: 2),
            logger: .quiet
        ).run()
        let html = CyclePage(outcome).html
        #expect(html.contains("&lt;b&gt;&amp;"))
        #expect(!html.contains("<b>"))
        for reference in ["http://", "https://", "<script", "<link", "<img", "@import", "url("] {
            #expect(!html.contains(reference), "\(reference)")
        }
        // A line for each strategy, a bar and a row for each of them and size.
        #expect(html.components("<polyline") == 3)
        #expect(html.components("class=\"ticks\"") == 6)
        #expect(html.components("<tr><td>") == 6)
        #expect(!html.contains("nan") && !html.contains("inf\""))
        // The picture is a file of its own: its names are declared, its style is in it, its ground is the page's.
        let picture = CyclePage(outcome).picture
        #expect(picture.hasPrefix(#"<svg xmlns="http://www.w3.org/2000/svg" width="800" height="420" "#))
        #expect(picture.components("<polyline") == 3)
        #expect(picture.components("<style>") == 1 && picture.components("<rect ") == 1)
        #expect(picture.contains("--paper: "))
        #expect(picture.components("http") == 1)
    }
}

extension String {
    /// How often `part` is in the text.
    fileprivate func components(_ part: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: part) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
