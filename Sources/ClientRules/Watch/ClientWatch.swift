package import DeviceScripts
internal import GuestMemory
package import VhostVDPA

/// Watches the calls of a client on a vhost-vdpa device, and judges them by the rules of ``ClientRuleBook``.
///
/// It takes each call when it is over, with its answer. Time goes with the number of maps; memory does not grow with the
/// number of calls. One thread.
package struct ClientWatch {
    /// How often a rule's breach is kept whole; those beyond are counted.
    private static let kept = 3

    /// What the next file that is opened offers and which addresses it has, where somebody who made the device knows. Else
    /// it is learnt from the device's answers.
    package var offered: BackendFeatures?
    package var range: IOVARange?
    private var files: [ScriptName: WatchedFile] = [:]
    private var log = CallLog()
    private var counts: [Int: Int] = [:]
    private var findings: [ClientFinding] = []

    package init() {}

    /// Takes a call that is over. What a process does to its memory is no call, and says nothing here.
    package mutating func take(_ step: ScriptStep, _ answer: ScriptAnswer, by caller: ScriptCaller = .process)
    {
        guard step.isOfDevice else { return }
        // A kick is no call: it has no number.
        if !step.isKick { log.note("\(step) -> \(ScriptExpectation.exactly(answer).text(of: step))") }
        switch step {
        case .open(let name):
            if answer.isSuccess { files[name] = WatchedFile(offered: offered, range: range) }
        case .signal:
            for name in files.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
                take(step, answer, caller, of: name)
            }
        default:
            guard let name = step.file else { return }
            take(step, answer, caller, of: name)
            if case .close = step { files[name] = nil }
        }
    }

    private mutating func take(
        _ step: ScriptStep, _ answer: ScriptAnswer, _ caller: ScriptCaller, of name: ScriptName
    ) {
        guard let file = files[name] else { return }
        let moment = ClientMoment(number: log.count, step: step, answer: answer, caller: caller, file: file)
        for rule in ClientRuleBook.rules {
            for breach in rule.judge(moment) { note(breach, of: rule) }
        }
        files[name]?.take(moment)
        if moment.mayBeLookedBackAt { log.hold() }
    }

    private mutating func note(_ breach: ClientBreach, of rule: ClientRule) {
        counts[rule.number, default: 0] += 1
        guard counts[rule.number, default: 0] <= Self.kept else { return }
        log.keep(breach.call)
        findings.append(ClientFinding(rule: rule.number, call: breach.call, detail: breach.detail))
    }

    /// What became of the rules. Files that are open are taken for closed here, as the kernel closes those of a process that
    /// has ended.
    package consuming func end() -> ClientReport {
        for name in files.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            take(.close(file: name), .ok, .process, of: name)
        }
        let log = log
        let broken = ClientRuleBook.rules.compactMap { rule -> ClientReport.Broken? in
            guard let count = counts[rule.number] else { return nil }
            return ClientReport.Broken(
                rule: rule, count: count,
                findings: findings.filter { $0.rule == rule.number }.map { finding in
                    var finding = finding
                    finding.calls = log.calls(around: finding.call)
                    return finding
                })
        }
        return ClientReport(callCount: log.count, broken: broken)
    }

    /// Judges a script by `answers`, one a line; where one is `nil`, by what the line expects.
    package static func judge(_ script: DeviceScript, answers: [ScriptAnswer?] = []) -> ClientReport {
        var watch = Self()
        for (index, line) in script.lines.enumerated() {
            guard let step = line.step else { continue }
            let answer: ScriptAnswer? = answers.indices.contains(index) ? answers[index] : nil
            let expected: ScriptAnswer? =
                switch line.expectation {
                case .exactly(let answer), .anySuccess(let answer): answer
                case nil: nil
                }
            watch.take(step, answer ?? expected ?? .ok, by: step.caller)
        }
        return watch.end()
    }
}

extension ClientMoment {
    /// Whether a later call may show that something was wrong with this one.
    fileprivate var mayBeLookedBackAt: Bool {
        isStart || ["SET_VRING_ENABLE", "SET_VRING_BASE", "GET_VRING_GROUP"].contains(request)
    }
}

extension ScriptStep {
    /// Whether it concerns a device: a call on one, or a kick.
    var isOfDevice: Bool {
        switch self {
        case .open, .signal: true
        default: file != nil
        }
    }

    /// Whether it is a driver's kick, which is no call.
    var isKick: Bool { if case .signal = self { true } else { false } }

    /// The file that it is done to.
    fileprivate var file: ScriptName? {
        switch self {
        case .close(let file), .request(_, let file, _), .message(_, let file), .write(_, let file),
            .writeFrom(_, _, let file), .map(_, let file), .ring(_, let file):
            file
        default: nil
        }
    }

    fileprivate var caller: ScriptCaller {
        if case .request(_, _, let caller) = self { caller } else { .process }
    }
}
