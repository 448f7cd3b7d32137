/// The random numbers of a seed (SplitMix64), the same on every machine and in every version.
struct SequenceGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// A number from 0 on below `bound`; the bounds here are far too small for the bias to matter.
    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((value ^ (value >> 31)) >> 33) % bound
    }
}
