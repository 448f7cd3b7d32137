internal import CycleBenchmark
internal import FoundationEssentials
internal import SystemPackage

/// The file of `emu cycle --baseline`: what `emu cycle --json` printed, or another program's results, one object a line.
struct BaselineFile {
    let path: String

    /// Reads it, or says why it is no baseline.
    func read() throws(StartError) -> Baseline {
        let bytes: [UInt8]
        do throws(InputFile.Failure) {
            bytes = try InputFile(path: FilePath(path)).bytes()
        } catch {
            throw StartError(
                "--baseline \(path): it cannot be read: \(error); give what emu cycle --json printed")
        }
        if let lines = try lines(bytes) {
            return try checked { () throws(Baseline.Refusal) in try Baseline(lines, file: path) }
        }
        let report = try report(bytes)
        return try checked { () throws(Baseline.Refusal) in try Baseline(report, file: path) }
    }

    private func checked(_ make: () throws(Baseline.Refusal) -> Baseline) throws(StartError) -> Baseline {
        do throws(Baseline.Refusal) {
            return try make()
        } catch {
            throw StartError("--baseline \(path): \(error)")
        }
    }

    private func report(_ bytes: [UInt8]) throws(StartError) -> CycleReport {
        do throws(JSONText.Refusal) {
            return try JSONText.decode(CycleReport.self, from: bytes)
        } catch {
            throw StartError("--baseline \(path): \(error)")
        }
    }

    /// The lines of another program; `nil` where the file's first line is none of them.
    private func lines(_ bytes: [UInt8]) throws(StartError) -> [Baseline.Line]? {
        let texts = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
            .filter { _, line in !line.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") } }
        guard let first = texts.first,
            (try? JSONDecoder().decode(FirstLine.self, from: Data(first.element))) != nil
        else { return nil }
        var lines: [Baseline.Line] = []
        for (index, text) in texts {
            guard let line = try? JSONDecoder().decode(Baseline.Line.self, from: Data(text)) else {
                throw StartError(
                    "--baseline \(path): line \(index + 1) is no result; give an object with strategy (one of"
                        + " \(CycleStrategy.names)), memoryBytes and p50, in microseconds")
            }
            lines.append(line)
        }
        return lines
    }

    /// What tells a line of results from a report.
    private struct FirstLine: Decodable {
        let strategy: String
    }
}
