/// What `emu check --device all --json` prints: every kind of simulated device held to the rules.
struct AllCheckReport: JSONResult, Codable, Equatable, Sendable {
    static let schema = JSONSchema.checkAll

    /// One for each kind, in the order in which they were checked.
    var devices: [CheckReport]
    /// Kinds that were not begun with, as the check ended before its end.
    var notChecked: [String]
    /// The sums.
    var passed: Int
    var failed: Int
    var notApplicable: Int
    var notAsked: Int
    /// Of the kinds that were begun with.
    var notRun: Int
    /// Whether somebody asked it to end before its end.
    var interrupted: Bool
    /// `true` where it is of each of them; left out elsewhere.
    var nothingChecked: Bool?

    init(_ devices: [CheckReport], notChecked: [String] = []) {
        self.devices = devices
        self.notChecked = notChecked
        func sum(_ count: (CheckReport) -> Int) -> Int { devices.reduce(0) { $0 + count($1) } }
        passed = sum(\.passed)
        failed = sum(\.failed)
        notApplicable = sum(\.notApplicable)
        notAsked = sum(\.notAsked)
        notRun = sum(\.notRun)
        // Nothing else keeps a kind from being begun with.
        interrupted = !notChecked.isEmpty || devices.contains(where: \.interrupted)
        nothingChecked = !devices.isEmpty && devices.allSatisfy { $0.nothingChecked == true } ? true : nil
    }

    /// What the command says with its status: a check that is not over has not found that all is well.
    var status: ExitStatus {
        notChecked.isEmpty && devices.allSatisfy { $0.status == .done } ? .done : .foundSomethingWrong
    }

    /// The last lines for a person.
    var verdict: String {
        var line =
            "\(devices.count) kinds of simulated device: \(NumberText.grouped(passed)) passed, \(failed) failed,"
            + " \(NumberText.grouped(notApplicable)) not applicable"
        if notAsked > 0 { line += ", \(notAsked) could not be asked" }
        if notRun > 0 { line += ", \(notRun) not run" }
        if !notChecked.isEmpty { line += "\nINTERRUPTED: not checked: \(notChecked.joined(separator: " "))" }
        if nothingChecked == true {
            line += "\nNOTHING CHECKED: no rule that was run says anything of these devices"
        }
        return line
    }
}
