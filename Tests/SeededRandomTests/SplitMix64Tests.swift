import SeededRandom
import Testing

@Suite("SplitMix64") struct SplitMix64Tests {
    /// What its authors' program gives for two seeds.
    private static let numbers: [UInt64: [UInt64]] = [
        0: [
            0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f, 0xf88b_b8a8_724c_81ec,
        ],
        1_234_567: [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ],
    ]

    @Test("gives the numbers of its authors' program", arguments: [0, 1_234_567] as [UInt64])
    func known(seed: UInt64) throws {
        let numbers = try #require(Self.numbers[seed])
        var random = SplitMix64(seed: seed)
        #expect(numbers.map { _ in random.next() } == numbers)
    }

    @Test("takes a negative seed for its bits")
    func negative() {
        var (negative, positive) = (SplitMix64(seed: -1), SplitMix64(seed: UInt64.max))
        #expect(negative.next() == positive.next())
    }
}
