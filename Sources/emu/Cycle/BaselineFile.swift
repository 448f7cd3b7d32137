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
        var lines: [Baseline.Line] = []
        // One after the other: a file may be nothing but ends of lines.
        var (rest, number, isFirst) = (bytes[...], 0, true)
        while !rest.isEmpty {
            let text = rest.prefix { $0 != UInt8(ascii: "\n") }
            rest = rest[text.endIndex...].dropFirst()
            number += 1
            if text.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }) { continue }
            if isFirst, (try? JSONDecoder().decode(FirstLine.self, from: Data(text))) == nil { return nil }
            isFirst = false
            guard let line = try? JSONDecoder().decode(Baseline.Line.self, from: Data(text)) else {
                throw StartError(
                    "--baseline \(path): line \(number) is no result; give an object with strategy (one of"
                        + " \(CycleStrategy.names)), memoryBytes and p50, in microseconds")
            }
            lines.append(line)
        }
        return isFirst ? nil : lines
    }

    /// What tells a line of results from a report.
    private struct FirstLine: Decodable {
        let strategy: String
    }
}
