internal import ClientRules
internal import ForeignPrograms

/// What became of the rules for clients while a program ran, for people, for a file, and for the status.
struct ClientJudgement {
    let mode: ClientRuleMode
    /// Where the report goes beside standard error.
    let report: String?
    let file: RecordingFile?
    let recording: Recording?

    /// What is made of the program's calls.
    var watching: ClientWatching {
        let recorder = recording?.recorder
        return ClientWatching(judges: mode != .off) { _ in recorder }
    }

    /// Says what was found of each device with which something is wrong, and returns the status for a program that has ended
    /// with `status`: its own, unless the rules are enforced, or a file that was asked for is not there.
    func end(_ found: [(path: String, report: ClientReport)], status: Int32) -> Int32 {
        for (path, report) in found where !report.broken.isEmpty {
            Console.shared.print("emu: \(path): " + report.lines.joined(separator: "\n"))
        }
        var ending = status == 0 ? ExitStatus.done : nil
        if let file {
            file.write(JSONText.encode(ExecReport(found, status: status)))
            if let error = file.close() {
                Console.shared.print(
                    "emu: --report \(report ?? ""): it is not there: \(error); name another file")
                ending = ending.map { _ in .foundSomethingWrong }
            }
        }
        if let recording { ending = ending.map(recording.end) ?? recording.end(.foundSomethingWrong) }
        let isBroken = found.contains { !$0.report.broken(.error).isEmpty }
        if mode == .enforce, isBroken { return ExitStatus.foundSomethingWrong.rawValue }
        return status == 0 ? ending?.rawValue ?? status : status
    }
}
