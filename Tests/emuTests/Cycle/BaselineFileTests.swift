import CycleBenchmark
import Foundation
import TestSupport
import Testing

@testable import emu

/// The file of `emu cycle --baseline`.
@Suite struct BaselineFileTests {
    /// Runs `body` with a file that holds `text`.
    private func with<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
        let folder = try TemporaryFolder()
        try Data(text.utf8).write(to: folder.url.appending(path: "baseline"))
        return try body(folder.path("baseline"))
    }

    /// What a benchmark says beside the baseline in `text`.
    private func comparison(_ text: String) throws -> BaselineComparison? {
        try with(text) { path in
            var outcome = CycleReport.fullOutcome
            outcome.baseline = try BaselineFile(path: path).read()
            return CycleReport(outcome).baseline
        }
    }

    @Test("What emu cycle --json printed is one")
    func ownJSON() throws {
        let comparison = try #require(try comparison(JSONText.encode(CycleReport.full)))
        #expect(comparison.pairs.map(\.ratio) == [1] && comparison.version == "9.8.7")
    }

    @Test("Lines of another program's results are one, with blank lines and without")
    func otherProgram() throws {
        let line =
            "{\"strategy\": \"remap-verified\", \"memoryBytes\": 268435456, \"p50\": 50.25, \"runs\": 4}"
        for text in [line, "\n\(line)\r\n\n\(line)\n"] {
            let comparison = try #require(try comparison(text))
            #expect(comparison.pairs.map(\.before) == [50.25] && comparison.version == nil)
        }
    }

    @Test(
        "Millions of blank lines are read one by one, within a process's limit of memory",
        .enabled(if: Sanitizer.current == nil))
    func blankLines() throws {
        try with(String(repeating: "\n", count: 20_000_000)) { path in
            let outcome = try EmuProcess.run(
                shell: "ulimit -v \(600 << 10); exec \"$@\"", ["cycle", "--baseline", path, "--cycles", "1"])
            #expect(outcome.status == 2 && outcome.errorLines.count == 1, "\(outcome.errors)")
            #expect(outcome.errors.contains("it holds no JSON object"), "\(outcome.errors)")
        }
    }

    @Test(
        "What is no baseline is refused in one line, by its path",
        arguments: [
            ("", "it holds no JSON object that names its schema; give what emu --json printed"),
            ("no JSON", "it holds no JSON object"), ("[]", "it holds no JSON object"),
            ("{}", "it holds no JSON object"),
            (
                JSONText.encode(ErrorReport(error: "x", interrupted: false)),
                "it is of schema 'error'; give one of schema 'cycle'"
            ),
            (
                JSONText.encode(CycleReport.full).replacing(
                    "\"schemaVersion\" : 1", with: "\"schemaVersion\" : 7"),
                "it is of version 7 of schema 'cycle'; this emu reads version 1"
            ),
            (
                JSONText.encode(CycleReport.full).replacing("\"clockSource\"", with: "\"clock\""),
                "not what schema 'cycle' says at machine.clockSource"
            ),
            (
                "{\"strategy\": \"remap\", \"memoryBytes\": 1, \"p50\": 1}\n\n{\"strategy\": \"remap\"}",
                "line 3 is no result; give an object with strategy (one of remap, "
            ),
            ("{\"strategy\": \"walk\", \"memoryBytes\": 1, \"p50\": 1}", "line 1 is no result"),
            ("{\"strategy\": \"remap\", \"memoryBytes\": -1, \"p50\": 1}", "line 1 is no result"),
            (
                "{\"strategy\": \"remap\", \"memoryBytes\": 1, \"p50\": 0}",
                "remap has a median of 0.0 µs; give times above 0"
            ),
        ])
    func noBaseline(text: String, words: String) throws {
        try with(text) { path in
            let error = try #require(throws: StartError.self) { try BaselineFile(path: path).read() }
            #expect(error.description.hasPrefix("--baseline \(path): "), "\(error)")
            #expect(error.description.contains(words) && !error.description.contains("\n"), "\(error)")
        }
    }

    @Test(
        "What cannot be read is refused with the reason",
        arguments: [
            ("/nowhere", "No such file or directory"), ("/tmp", "Is a directory"),
            ("/dev/zero", "it has more than 64 MiB"),
        ])
    func unreadable(path: String, words: String) throws {
        let error = try #require(throws: StartError.self) { try BaselineFile(path: path).read() }
        #expect(
            error.description.hasPrefix("--baseline \(path): it cannot be read: \(words); give "), "\(error)")
    }
}
