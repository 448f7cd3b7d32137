import CycleBenchmark
import GuestMemory
import Testing

@testable import emu

@Suite("emu cycle: its bar")
struct CycleProgressTests {
    @Test("counts what --cycles counts, and says which cycles they are")
    func line() {
        #expect(
            CycleProgress.line(.mebibytes(64), .whole, done: 150, total: 300)
                == "64M  ███████████████░░░░░░░░░░░░░░░  150 of 300 cycles of each strategy")
        #expect(
            CycleProgress.line(.mebibytes(64), .traffic, done: 150, total: 150)
                == "64M  ██████████████████████████████  150 of 150 cycles of each strategy under traffic")
    }

    @Test("runs over for no number")
    func large() {
        let line = CycleProgress.line(.mebibytes(64), .whole, done: .max, total: .max)
        #expect(line.contains("██████████████████████████████  9,223,372,036,854,775,807 of "))
        #expect(CycleProgress.line(.mebibytes(64), .phases, done: 1, total: .max).contains("  ░"))
        #expect(CycleProgress.line(.mebibytes(64), .phases, done: 0, total: 0).contains("█  0 of 0"))
    }
}
