import CycleBenchmark
import Testing

@Suite("The order of cycles")
struct CycleScheduleTests {
    static let strategies: [CycleStrategy] = [.remap, .persist, .resume]

    @Test("every round has each strategy once", arguments: [1, 2, 7])
    func rounds(cycles: Int) {
        let turns = CycleSchedule(strategies: Self.strategies, warmUp: 1, cycles: cycles).turns
        #expect(turns.count.isMultiple(of: 3))
        for start in stride(from: 0, to: turns.count, by: 3) {
            let round = turns[start..<start + 3]
            #expect(Set(round.map(\.strategy)) == Set(Self.strategies))
            #expect(Set(round.map(\.purpose)).count == 1)
        }
    }

    @Test("for each purpose every strategy begins a round as often as the others", arguments: [1, 2, 3, 5])
    func rotation(phaseInterval: Int) {
        let turns = CycleSchedule(
            strategies: Self.strategies, warmUp: 3, cycles: 3 * phaseInterval * 2,
            phaseInterval: phaseInterval
        ).turns
        let firsts = stride(from: 0, to: turns.count, by: 3).map { turns[$0] }
        for purpose in [CycleSchedule.Turn.Purpose.warmUp, .whole, .phases] {
            let counts = Self.strategies.map { strategy in
                firsts.count { $0.strategy == strategy && $0.purpose == purpose }
            }
            #expect(counts[0] > 0)
            #expect(Set(counts).count == 1, "\(purpose): \(counts)")
        }
    }

    @Test("as many whole cycles of each as asked for, after the warm-up", arguments: [1, 3, 10])
    func counts(cycles: Int) {
        let turns = CycleSchedule(strategies: Self.strategies, warmUp: 2, cycles: cycles).turns
        #expect(turns.prefix(6).allSatisfy { $0.purpose == .warmUp })
        #expect(!turns.dropFirst(6).contains { $0.purpose == .warmUp })
        for strategy in Self.strategies {
            #expect(turns.count { $0.strategy == strategy && $0.purpose == .whole } == cycles)
            #expect(turns.contains { $0.strategy == strategy && $0.purpose == .phases })
        }
    }

    @Test("no cycle by phases comes before a whole one, which would find its caches", arguments: [1, 2, 9])
    func order(cycles: Int) {
        let purposes = CycleSchedule(strategies: Self.strategies, cycles: cycles).turns.map(\.purpose)
        let phases = purposes.drop { $0 != .phases }
        #expect(!phases.isEmpty)
        #expect(phases.allSatisfy { $0 == .phases })
    }

    @Test("a schedule that never ends takes no memory and no number runs over")
    func endless() {
        let schedule = CycleSchedule(
            strategies: Array(CycleStrategy.allCases), cycles: .max, phaseInterval: 1)
        #expect(schedule.turns.count > 1 << 50)
        #expect(schedule.turns.prefix(10).allSatisfy { $0.purpose == .warmUp })
        #expect(schedule.turns[10].purpose == .whole && schedule.turns[10].round == 0)
        #expect(schedule.turns.last?.purpose == .phases)
        #expect(schedule.trafficTurns.last.map { $0.round + 1 } == schedule.rounds(of: .traffic))
    }

    @Test("rounds are counted by purpose: as many as were asked for")
    func counted() {
        let schedule = CycleSchedule(strategies: Self.strategies, warmUp: 2, cycles: 300)
        let purposes: [CycleSchedule.Turn.Purpose] = [.warmUp, .whole, .phases, .traffic]
        #expect(purposes.map { schedule.rounds(of: $0) } == [2, 300, 150, 150])
        #expect(schedule.turns.filter { $0.purpose == .whole }.map(\.round).max() == 299)
    }

    @Test("no strategy, no turn")
    func nothing() {
        #expect(CycleSchedule(strategies: [], cycles: 5).turns.isEmpty)
    }
}
