import ArgumentParser
import Testing

@testable import emu

@Suite struct DurationTextTests {
    @Test(
        "A time is a decimal number and us, ms, s, m or h",
        arguments: [
            ("1us", Duration.microseconds(1)), ("200ms", .milliseconds(200)), ("10s", .seconds(10)),
            ("0s", .zero), ("1000000000s", .seconds(1_000_000_000)), ("1m", .seconds(60)),
            ("1h", .seconds(3600)),
            ("500us", .microseconds(500)), ("0.5s", .milliseconds(500)), ("1.5m", .seconds(90)),
            ("0.001ms", .microseconds(1)), ("10S", .seconds(10)), ("1M", .seconds(60)),
            ("7MS", .milliseconds(7)),
            ("1.500000000000000000000000s", .milliseconds(1500)), ("0.25h", .seconds(900)),
            ("999999999.999999s", .microseconds(999_999_999_999_999)),
        ])
    func units(text: String, expected: Duration) throws {
        #expect(try Duration(parsing: text) == expected)
    }

    @Test(
        "Any other text is refused with the form that is accepted",
        arguments: [
            "", "s", "10", "10 s", "-1s", "1.s", ".5s", "1.5.5s", "10ns", "1s1s", "1e3s", "nans", "infs",
            "٣s",
            "0x1s",
            "1\u{301}s",
        ])
    func otherText(text: String) {
        #expect(throws: ArgumentError("use a number and us, ms, s, m or h, as in 200ms or 1.5s")) {
            try Duration(parsing: text)
        }
    }

    @Test("The help names every unit") func helpNamesUnits() {
        #expect(RunCommand.configuration.discussion.contains("times take us, ms, s, m or h."))
    }

    @Test(
        "A part of a microsecond is refused",
        arguments: ["0.5us", "1.0001ms", "0.0000001s", "0.000000000000000000001h"])
    func partOfMicrosecond(text: String) {
        #expect(throws: ArgumentError("times are in whole microseconds; use fewer digits, as in 1.5ms")) {
            try Duration(parsing: text)
        }
    }

    @Test(
        "A time beyond a thousand million seconds is refused",
        arguments: [
            "1000000001s", "1000000000001ms", "9223372036854775807s", "99999999999999999999us", "277778h",
            "1000000000.000001s", "277777.8h",
        ])
    func tooLong(text: String) {
        #expect(throws: ArgumentError("that is longer than 1000000000s; use less, as in 1h")) {
            try Duration(parsing: text)
        }
    }

    @Test(
        "A time is written in the largest unit that says it in whole numbers",
        arguments: [
            (Duration.seconds(2), "2s"), (.milliseconds(1500), "1500ms"), (.microseconds(1), "1us"),
            (.zero, "0s"),
        ])
    func written(time: Duration, text: String) {
        #expect(time.text == text)
        #expect("\(time.microseconds)" == "\(Double(time / .microseconds(1)))")
    }
}
