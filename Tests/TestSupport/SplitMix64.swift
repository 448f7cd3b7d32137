/// SplitMix64: the numbers of a seed, the same on every run, so that what fails can be run again.
package struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: some BinaryInteger) { state = UInt64(truncatingIfNeeded: seed) }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// True once in `odds` times.
    package mutating func chance(oneIn odds: Int) -> Bool { Int.random(in: 0..<odds, using: &self) == 0 }
}
