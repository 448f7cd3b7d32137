import Testing

@testable import emu

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("1us", Duration.microseconds(1)), ("200ms", .milliseconds(200)), ("10s", .seconds(10)),
        ("0s", .zero), ("1000000000s", .seconds(1_000_000_000)),
    ])
    func `A time is digits and us, ms or s`(text: String, expected: Duration) throws {
        #expect(try Duration(parsing: text) == expected)
    }

    @Test(arguments: ["", "s", "10", "10 s", "-1s", "1.5s", "10S", "10m", "10ns", "1s1s", "٣s", "0x1s"])
    func `Any other text is refused with the form that is accepted`(text: String) {
        #expect(throws: ArgumentError("use a whole number and us, ms or s, as in 200ms")) {
            try Duration(parsing: text)
        }
    }

    @Test(arguments: ["1000000001s", "1000000000001ms", "9223372036854775807s", "99999999999999999999us"])
    func `A time beyond a thousand million seconds is refused`(text: String) {
        #expect(throws: ArgumentError("that is longer than 1000000000s")) { try Duration(parsing: text) }
    }

    @Test(arguments: [
        (Duration.seconds(2), "2s"), (.milliseconds(1500), "1500ms"), (.microseconds(1), "1us"),
        (.zero, "0s"),
    ])
    func `A time is written in the largest unit that says it in whole numbers`(time: Duration, text: String) {
        #expect(time.text == text)
        #expect("\(time.microseconds)" == "\(Double(time / .microseconds(1)))")
    }
}
