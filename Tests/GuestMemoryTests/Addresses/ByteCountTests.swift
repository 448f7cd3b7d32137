import GuestMemory
import SeededRandom
import Testing

struct ByteCountTests {
    @Test(
        "A size is a decimal number and a unit in either case, or bytes, as QEMU takes it",
        arguments: [
            ("0", 0), ("1", 1), ("4096", 4096), ("4K", 4096), ("256M", 256 << 20), ("1G", 1 << 30),
            ("2T", 2 << 40), ("007K", 7 << 10), ("18446744073709551615", UInt64.max),
            ("16777215T", 16_777_215 << 40), ("1k", 1024), ("1g", 1 << 30), ("1.5G", 3 << 29),
            ("0.5m", 1 << 19), ("1P", 1 << 50), ("15e", 15 << 60), ("64B", 64), ("1.0K", 1024),
            ("0.1K", 102), ("0.9999999999999999999999999999K", 1023), ("15.999999999999999999E", .max - 1),
        ] as [(String, UInt64)]
    )
    func parses(text: String, bytes: UInt64) {
        #expect(ByteCount(parsing: text)?.rawValue == bytes)
    }

    @Test(
        "Anything else is no size, overflow included",
        arguments: [
            "", "K", "G", "1e3", "1KB", "1KiB", "1 G", " 1G", "1G ", "+1", "-1", "1.5", ".5G", "1.G",
            "1.5.5G", "nan", "inf", "1,5G", "0x10", "1_000",
            "G1", "1GG", "B", "16E", "١G", "1G\n", "18446744073709551616", "16777216T", "17179869184G",
            "99999999999999999999999T",
        ]
    )
    func refuses(text: String) {
        #expect(ByteCount(parsing: text) == nil)
    }

    @Test(
        "A size prints in the largest unit that says it exactly",
        arguments: [
            (0, "0"), (1, "1"), (1023, "1023"), (1024, "1K"), (1025, "1025"), (4096, "4K"),
            (512 << 20, "512M"),
            (1 << 30, "1G"), (3 << 29, "1536M"), ((1 << 30) + 1, "1073741825"), (1 << 40, "1T"),
            (1 << 50, "1P"), (1 << 60, "1E"),
            (UInt64.max, "18446744073709551615"),
        ] as [(UInt64, String)]
    )
    func prints(bytes: UInt64, text: String) {
        #expect(ByteCount(rawValue: bytes).description == text)
    }

    @Test("What prints parses back", arguments: 0..<8)
    func roundTrip(seed: Int) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<500 {
            let size = ByteCount(rawValue: (random.next() >> UInt64.random(in: 0..<64, using: &random)) << 10)
            #expect(ByteCount(parsing: size.description) == size)
        }
    }

    @Test("A part of a longer text parses too")
    func parsesSubstring() {
        #expect(ByteCount(parsing: "memory=1G".dropFirst(7)) == .gibibytes(1))
    }
}
