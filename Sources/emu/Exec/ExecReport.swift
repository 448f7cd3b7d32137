internal import ClientRules

/// What `emu exec --report` writes.
struct ExecReport: JSONResult, Codable, Equatable, Sendable {
    static let schema = JSONSchema.exec

    /// A call and its answer, as a device script has it.
    struct Call: Codable, Equatable, Sendable {
        var number: Int
        var text: String
    }

    /// A place where a rule was broken.
    struct Finding: Codable, Equatable, Sendable {
        var call: Int
        var detail: String
        var calls: [Call]
    }

    /// A rule that was broken; of its findings the first.
    struct Broken: Codable, Equatable, Sendable {
        enum Severity: String, Codable, Sendable { case error, warning, advice }

        var number: Int
        var severity: Severity
        var title: String
        var reason: String
        var advice: String
        var source: String
        var count: Int
        var findings: [Finding]
    }

    /// A device that the program has called.
    struct Device: Codable, Equatable, Sendable {
        var path: String
        var calls: Int
        var broken: [Broken]
    }

    var devices: [Device]
    /// How many rules of that severity were broken, on all devices together.
    var errors: Int
    var warnings: Int
    var advices: Int
    /// The program's own; 128 and the signal where one ended it.
    var programStatus: Int

    init(_ found: [(path: String, report: ClientReport)], status: Int32) {
        devices = found.map { path, report in
            Device(path: path, calls: report.callCount, broken: report.broken.map(Broken.init))
        }
        let broken = devices.flatMap(\.broken)
        errors = broken.count { $0.severity == .error }
        warnings = broken.count { $0.severity == .warning }
        advices = broken.count { $0.severity == .advice }
        programStatus = Int(status)
    }
}

extension ExecReport.Broken {
    fileprivate init(_ broken: ClientReport.Broken) {
        number = broken.rule.number
        severity =
            switch broken.rule.severity {
            case .error: .error
            case .warning: .warning
            case .advice: .advice
            }
        (title, reason, advice) = (broken.rule.title, broken.rule.reason, broken.rule.advice)
        (source, count) = (broken.rule.source, broken.count)
        findings = broken.findings.map { finding in
            ExecReport.Finding(
                call: finding.call, detail: finding.detail,
                calls: finding.calls.map { ExecReport.Call(number: $0.number, text: $0.text) })
        }
    }
}
