internal import EmulatedMachine
internal import VhostVDPAConformance

/// The rules of one `emu check`, run one after the other.
struct RuleCheck {
    /// The device's name in the report.
    let device: String
    var opener: DeviceOpener
    let traits: DeviceTraits
    /// Ends the check before the next rule.
    let interrupt: RunInterrupt
    /// Why the device can be asked no more, see ``CheckedDevice/failure``.
    let failure: () -> String?
    /// Told of each rule before it is asked.
    var willAsk: (Rule) -> Void = { _ in }

    /// Runs `rules` and gives `line` what people read, until the check is interrupted or the device has failed. A rule that
    /// was under way then counts as not run: it may have failed for that, or passed since its wait for nothing to happen
    /// was cut short, or since a device whose worker stopped does nothing.
    func run(_ rules: [Rule], line: (String) -> Void) -> CheckReport {
        var results: [(rule: Rule, outcome: RuleOutcome)] = []
        var topic: RuleTopic?
        for rule in rules {
            guard !isOver else { break }
            interrupt.enter("rule \(rule.number) to end")
            willAsk(rule)
            let outcome = rule.run(on: opener, traits: traits)
            if isOver, isDoubtful(outcome) { break }
            results.append((rule, outcome))
            if rule.topic != topic { line(rule.topic.rawValue) }
            topic = rule.topic
            line(CheckLine.text(rule, outcome))
        }
        let isUnfinished = results.count < rules.count
        return CheckReport(
            device: device, results: results, asked: rules.count,
            interrupted: isUnfinished && interrupt.wasRaised,
            problems: [failure()].compactMap(\.self))
    }

    private func isDoubtful(_ outcome: RuleOutcome) -> Bool {
        if case .notApplicable = outcome { return false }
        if case .failed = outcome { return true }
        return interrupt.wasRaised || opener.failure() != nil
    }

    private var isOver: Bool { interrupt.wasRaised || failure() != nil }
}
