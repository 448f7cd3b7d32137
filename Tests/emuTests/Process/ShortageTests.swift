import TestSupport
import Testing

/// What `emu run` says where the machine has too little of something: always a line, never silence.
@Suite("A run that is short of descriptors", .timeLimit(.minutes(15)))
struct ShortageTests {
    private func outcome(_ limit: Int, _ arguments: [String]) throws -> EmuProcess.Outcome {
        try EmuProcess.run(
            shell: "ulimit -n \(limit); exec \"$@\"",
            ["run", "--memory", "64M", "--duration", "100ms", "--interval", "10ms", "--log-level", "error"]
                + arguments)
    }

    @Test(
        "ends with what it is short of, at whichever step of its start, and stops and starts where it has enough"
    )
    func everyStep() throws {
        var hasRun = false
        for limit in 6...48 {
            let outcome = try outcome(limit, [])
            if outcome.status == 0 {
                hasRun = true
                continue
            }
            #expect(!hasRun, "\(limit) descriptors are too few, and fewer were enough")
            #expect(outcome.status == 2, "\(limit): \(outcome.errors)")
            let lines = outcome.errorLines
            #expect(lines.count == 1 && lines[0].hasPrefix("emu: "), "\(limit): \(outcome.errors)")
            // What is short are descriptors, whoever needed one.
            #expect(outcome.errors.contains(/Too many open files|EMFILE/), "\(limit): \(outcome.errors)")
        }
        #expect(hasRun)
    }

    @Test(
        "ends with the limit of its data by name where threads or memory are refused for it",
        .enabled(if: Sanitizer.current == nil))
    func data() throws {
        var refusals = 0
        for limit in stride(from: 8000, through: 40000, by: 4000) {
            let outcome = try EmuProcess.run(
                shell: "ulimit -d \(limit); exec \"$@\"",
                [
                    "run", "--memory", "64M", "--duration", "50ms", "--interval", "10ms", "--log-level",
                    "error",
                ])
            if outcome.status == 0 { continue }
            // Swift's runtime ends a process that has no memory for an object (docs/reliability.md).
            if outcome.errors.contains("failed to allocate") { continue }
            #expect(outcome.status == 2 && outcome.errorLines.count == 1, "\(limit): \(outcome.errors)")
            guard outcome.errors.contains(/cannot start the thread|Cannot allocate memory/) else { continue }
            refusals += 1
            #expect(outcome.errors.contains("'ulimit -d' (\(limit))"), "\(limit): \(outcome.errors)")
        }
        #expect(refusals > 0)
    }

    @Test("with many queue pairs ends those that have started", arguments: [24, 64, 200])
    func manyPairs(limit: Int) throws {
        let outcome = try outcome(limit, ["--queues", "64"])
        #expect(outcome.status == 2)
        #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
    }
}
