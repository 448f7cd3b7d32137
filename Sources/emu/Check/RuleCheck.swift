internal import EmulatedMachine
internal import VhostVDPAConformance

/// The rules of one `emu check`, run one after the other.
struct RuleCheck {
    /// The device's name in the report.
    let device: String
    let opener: DeviceOpener
    let traits: DeviceTraits
    /// Ends the check before the next rule.
    let interrupt: RunInterrupt
    /// Whether the device was removed.
    let isGone: () -> Bool

    /// Runs `rules` and gives `line` what people read, until the check is interrupted or the device is gone. A rule that
    /// failed meanwhile may have failed for that, and counts as not run.
    func run(_ rules: [Rule], line: (String) -> Void) -> CheckReport {
        var results: [(rule: Rule, outcome: RuleOutcome)] = []
        var topic: RuleTopic?
        for rule in rules {
            guard !isOver else { break }
            interrupt.enter("rule \(rule.number) to end")
            let outcome = rule.run(on: opener, traits: traits)
            if case .failed = outcome, isOver { break }
            results.append((rule, outcome))
            if rule.topic != topic { line(rule.topic.rawValue) }
            topic = rule.topic
            line(CheckLine.text(rule, outcome))
        }
        let isUnfinished = results.count < rules.count
        return CheckReport(
            device: device, results: results, asked: rules.count,
            interrupted: isUnfinished && interrupt.wasRaised,
            problems: isUnfinished && isGone() ? [Self.goneText] : [])
    }

    /// What is said of a device that was removed.
    static let goneText =
        "the device went away (vdpa dev del?): the check ended and closed it; add it again to go on"

    private var isOver: Bool { interrupt.wasRaised || isGone() }
}
