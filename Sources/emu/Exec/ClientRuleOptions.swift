internal import ArgumentParser
internal import ClientRules
internal import DeviceScripts
internal import ForeignPrograms

/// What `emu exec` does about the rules that its program breaks.
enum ClientRuleMode: String, CaseIterable, ExpressibleByArgument {
    /// Says so when it has ended.
    case report
    /// The same, and the status is 1 where a rule of severity error was broken.
    case enforce
    /// Watches nothing.
    case off
}

/// What `emu exec` makes of the calls of its program.
struct ClientRuleOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What becomes of the rules for clients (docs/client-rules.md) that the program breaks: report prints them to standard error at the end, enforce makes the status 1 too where one is an error, off watches nothing.",
            valueName: "mode"))
    var rules: ClientRuleMode = .report

    @Option(
        help: ArgumentHelp(
            "Write what was found as a JSON object to this file (docs/json-schema/exec.schema.json); what was in it goes.",
            valueName: "file"),
        completion: .file(extensions: ["json"]))
    var report: String?

    @OptionGroup var recordOption: RecordOption

    /// Throws where one of them would do nothing, and opens the files.
    func judgement(of devices: [DeviceSpecification]) throws(StartError) -> ClientJudgement {
        if let report, rules == .off {
            throw StartError("--report \(report) with --rules off: nobody would look; leave one of them out")
        }
        if let record = recordOption.record, devices.count > 1 {
            throw StartError(
                "--record \(record) with \(devices.count) devices: a script is of one; give one --device")
        }
        let file: RecordingFile? =
            if let report { try RecordingFile(path: report, option: "--report", what: "report") } else { nil }
        return ClientJudgement(
            mode: rules, report: report, file: file,
            recording: try recordOption.recording(of: devices.first ?? .standard))
    }
}
