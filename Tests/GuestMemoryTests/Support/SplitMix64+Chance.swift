import SeededRandom

extension SplitMix64 {
    /// True once in `odds` times.
    mutating func chance(oneIn odds: Int) -> Bool { Int.random(in: 0..<odds, using: &self) == 0 }
}
