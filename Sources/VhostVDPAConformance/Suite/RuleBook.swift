/// All rules there are.
package enum RuleBook {
    /// By topic, then by number.
    package static let rules: [Rule] = RuleTopic.allCases.flatMap { topic in
        all.filter { $0.topic == topic }.sorted { $0.number < $1.number }
    }

    private static let all: [Rule] =
        OwnershipRules.all + BackendFeatureRules.all + StatusRules.all + ConfigurationRules.all
        + GroupRules.all + VringRules.all + SuspendRules.all + KickRules.all + DoorbellRules.all
        + MessageRules.all + BatchRules.all + PinningRules.all + PersistenceRules.all + ControlQueueRules.all

    /// The rules with these numbers, in the book's order; all of them for `nil`.
    package static func rules(numbered numbers: Set<Int>?) -> [Rule] {
        guard let numbers else { return rules }
        return rules.filter { numbers.contains($0.number) }
    }
}
