internal import SeededRandom

/// A generator's random choices.
struct GeneratorDice {
    private var numbers: SplitMix64

    init(seed: UInt64) { numbers = SplitMix64(seed: seed) }

    /// A number below `bound`, which is not 0.
    mutating func below(_ bound: Int) -> Int { Int(numbers.next() % UInt64(bound)) }

    /// Happens so often of a hundred times.
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    /// One of several, which are some.
    mutating func pick<Choice>(_ choices: [Choice]) -> Choice { choices[below(choices.count)] }

    /// One of several, each as often as its weight among all says. One weight is not 0.
    mutating func pick<Choice>(weighing choices: [(Int, Choice)]) -> Choice {
        var left = below(choices.reduce(0) { $0 + $1.0 })
        for (weight, choice) in choices {
            if left < weight { return choice }
            left -= weight
        }
        return choices[choices.count - 1].1
    }

    /// Any 64 bits.
    mutating func bits() -> UInt64 { numbers.next() }

    /// Any bytes.
    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
    }

    /// A number at a border: around 0, around each limit given, around the ends of 16, 32 and 64 bits.
    mutating func border(_ limits: [UInt64], bits: Int = 32) -> UInt64 {
        let mask: UInt64 = bits == 64 ? .max : (1 << UInt64(bits)) - 1
        var choices: [UInt64] = [0, 1, 2, 3, 0xffff, 0x1_0000, mask, mask - 1, mask / 2 + 1]
        for limit in limits { choices += [limit &- 1, limit, limit &+ 1, limit] }
        return pick(choices) & mask
    }
}
