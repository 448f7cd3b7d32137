/// Which strategy's turn it is: cycle by cycle, so that whatever drifts hits all of them alike.
///
/// Every round has each strategy once. Each round begins with the strategy after the one that the last round of the
/// same purpose began with, so that for no purpose one always follows the same other: who comes after a remap
/// finds cold caches.
package struct CycleSchedule: Hashable, Sendable {
    /// The strategies, in the order of the first round.
    package let strategies: [CycleStrategy]
    /// Rounds before anything is measured.
    package let warmUp: Int
    /// Rounds whose cycles are measured whole.
    package let cycles: Int
    /// How many whole rounds there are to one that is measured phase by phase. Those come behind all whole ones: what
    /// takes the times of phases leaves colder caches than the C floor ever has.
    package let phaseInterval: Int

    /// The most rounds of a purpose. More do not end within a lifetime, and no sum of them passes an `Int`.
    static let mostRounds = Int.max >> 8

    /// One cycle of one strategy.
    package struct Turn: Hashable, Sendable {
        /// What a cycle is for.
        package enum Purpose: Hashable, Sendable {
            case warmUp
            /// Only its whole time is taken.
            case whole
            /// The time of each phase is taken, which costs a reading of the clock for each.
            case phases
            /// Frames go through the device while it is stopped and started.
            case traffic
        }

        package let strategy: CycleStrategy
        /// The strategy's place among all.
        package let place: Int
        package let purpose: Purpose
        /// The round among those of its purpose.
        package let round: Int
    }

    package init(strategies: [CycleStrategy], warmUp: Int = 2, cycles: Int, phaseInterval: Int = 2) {
        precondition(warmUp >= 0 && cycles >= 0 && phaseInterval > 0, "a schedule of counts")
        self.strategies = strategies
        self.warmUp = min(warmUp, Self.mostRounds)
        self.cycles = min(cycles, Self.mostRounds)
        self.phaseInterval = phaseInterval
    }

    /// The turns under traffic, in order: half as many rounds as there are whole ones, one at the least.
    package var trafficTurns: Turns { Turns(strategies, [(.traffic, rounds(of: .traffic))]) }

    /// The turns with idle queues, in order.
    package var turns: Turns {
        Turns(strategies, [.warmUp, .whole, .phases].map { ($0, rounds(of: $0)) })
    }

    /// How many rounds a purpose has.
    package func rounds(of purpose: Turn.Purpose) -> Int {
        switch purpose {
        case .warmUp: warmUp
        case .whole: cycles
        case .phases: (cycles + phaseInterval - 1) / phaseInterval
        case .traffic: (cycles + 1) / 2
        }
    }

    /// Turns in order, each made when it is asked for: a schedule has no size.
    package struct Turns: RandomAccessCollection, Sendable {
        private let strategies: [CycleStrategy]
        private let blocks: [(purpose: Turn.Purpose, rounds: Int)]
        package let endIndex: Int
        package var startIndex: Int { 0 }

        fileprivate init(_ strategies: [CycleStrategy], _ blocks: [(purpose: Turn.Purpose, rounds: Int)]) {
            self.strategies = strategies
            self.blocks = blocks
            endIndex = strategies.count * blocks.reduce(0) { $0 + $1.rounds }
        }

        package subscript(index: Int) -> Turn {
            precondition(indices.contains(index), "no turn \(index)")
            var round = index / strategies.count
            var purpose = Turn.Purpose.warmUp
            for block in blocks {
                purpose = block.purpose
                guard round >= block.rounds else { break }
                round -= block.rounds
            }
            let place = (index % strategies.count + round % strategies.count) % strategies.count
            return Turn(strategy: strategies[place], place: place, purpose: purpose, round: round)
        }
    }
}
