internal import Glibc

/// How a signal ends the process where there is no result to wait for: a line, with `--json` an object, and the
/// status 128 + n, as a shell shows a process that a signal ended.
struct Farewell: Sendable {
    let json: Bool

    /// Ends the process, unless its result is written or being written. Any thread; it waits for nobody.
    func endUnlessResultIsThere(_ signal: Int32, _ what: String) {
        let reason = "\(SignalName.of(signal)): \(what)"
        let report = ErrorReport(error: reason, interrupted: true)
        Console.results.end(with: json ? JSONText.encode(report) : nil) {
            Console.shared.printLast("emu: \(reason)")
            _exit(128 + signal)
        }
    }

    /// Ends the process, if it must be in the middle of a result.
    func end(_ signal: Int32, _ what: String) -> Never {
        endUnlessResultIsThere(signal, what)
        Console.shared.printLast("emu: \(SignalName.of(signal)): \(what)")
        _exit(128 + signal)
    }
}
