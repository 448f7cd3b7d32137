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
    }

    package init(strategies: [CycleStrategy], warmUp: Int = 2, cycles: Int, phaseInterval: Int = 2) {
        precondition(warmUp >= 0 && cycles >= 0 && phaseInterval > 0, "a schedule of counts")
        self.strategies = strategies
        self.warmUp = warmUp
        self.cycles = cycles
        self.phaseInterval = phaseInterval
    }

    /// The turns under traffic, in order: half as many rounds as there are whole ones, one at the least.
    package var trafficTurns: [Turn] {
        turns([Turn.Purpose](repeating: .traffic, count: (cycles + 1) / 2))
    }

    /// The turns with idle queues, in order.
    package var turns: [Turn] {
        var purposes = [Turn.Purpose](repeating: .warmUp, count: warmUp)
        purposes += [Turn.Purpose](repeating: .whole, count: cycles)
        purposes += [Turn.Purpose](repeating: .phases, count: (cycles + phaseInterval - 1) / phaseInterval)
        return turns(purposes)
    }

    private func turns(_ purposes: [Turn.Purpose]) -> [Turn] {
        var rounds: [Turn.Purpose: Int] = [:]
        return purposes.flatMap { purpose in
            let round = rounds[purpose, default: 0]
            rounds[purpose] = round + 1
            return strategies.indices.map { index in
                let place = (index + round) % strategies.count
                return Turn(strategy: strategies[place], place: place, purpose: purpose)
            }
        }
    }
}
