/// All rules there are.
public enum RuleBook {
    /// By topic, then by number.
    public static let rules: [Rule] = RuleTopic.allCases.flatMap { topic in
        all.filter { $0.topic == topic }.sorted { $0.number < $1.number }
    }

    private static let all: [Rule] =
        OwnershipRules.all + BackendFeatureRules.all + StatusRules.all + ConfigurationRules.all
        + GroupRules.all + VringRules.all + SuspendRules.all + KickRules.all + DoorbellRules.all
        + MessageRules.all + BatchRules.all + PinningRules.all + PersistenceRules.all + ControlQueueRules.all

    /// The rules with these numbers, in the book's order; all of them for `nil`.
    public static func rules(numbered numbers: Set<Int>?) -> [Rule] {
        guard let numbers else { return rules }
        return rules.filter { numbers.contains($0.number) }
    }

    /// Finds out what the device is, and asks it the rules with these numbers, or all of them: one after the other, each on
    /// a file of its own.
    ///
    /// A device without traffic takes a second or two. Nobody else may have the device open. Any thread, one at a time.
    ///
    /// - Parameters:
    ///   - opener: How to reach the device.
    ///   - numbers: Which rules; `nil` for all.
    /// - Returns: What became of each rule, in the book's order.
    /// - Throws: ``RuleInterruption`` where the device does not even say what it is.
    public static func check(
        _ opener: DeviceOpener, numbers: Set<Int>? = nil
    ) throws(RuleInterruption) -> [RuleReport] {
        let traits = try DeviceTraits.probe(opener)
        return rules(numbered: numbers).map { rule in
            RuleReport(rule: rule, outcome: rule.run(on: opener, traits: traits))
        }
    }
}
