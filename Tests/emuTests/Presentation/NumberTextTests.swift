import Testing

@testable import emu

@Suite struct NumberTextTests {
    @Test(
        "Digits are grouped by three",
        arguments: [
            (0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1000, "-1,000"),
            (100_000, "100,000"),
            (Int.min, "-9,223,372,036,854,775,808"),
        ])
    func grouped(number: Int, text: String) {
        #expect(NumberText.grouped(number) == text)
    }

    @Test(
        "Small numbers keep two digits and large ones none",
        arguments: [
            (0.0, "0"), (5.5, "5.5"), (5.05, "5.05"), (5.25, "5.25"), (6, "6"), (99.994, "99.99"),
            (100.4, "100"),
            (1234.5, "1,235"), (-2.5, "-2.5"),
        ])
    func digits(number: Double, text: String) {
        #expect(NumberText.short(number) == text)
    }

    @Test(
        "Rates are scaled by thousands",
        arguments: [
            (0.0, "0"), (12, "12"), (1500, "1.5 k"), (2_930_000, "2.93 M"), (4_000_000_000, "4 G"),
        ])
    func rates(number: Double, text: String) {
        #expect(NumberText.scaled(number) == text)
    }

    @Test(
        "Times are in the unit people would use",
        arguments: [
            (152.5, "153 µs"), (0.5, "0.5 µs"), (999.6, "1 ms"), (1310, "1.31 ms"), (9_800_000, "9.8 s"),
        ])
    func times(microseconds: Double, text: String) {
        #expect(NumberText.time(microseconds: microseconds) == text)
    }
}
