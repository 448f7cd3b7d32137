internal import VhostVDPAConformance

/// What `emu check --list --json` prints: the rules, in the document's order.
struct RuleListing: JSONResult, Codable, Equatable, Sendable {
    static let schema = JSONSchema.checkList

    /// One rule.
    struct Entry: Codable, Equatable, Sendable {
        var number: Int
        var topic: String
        var title: String
        /// What a device must be, as the document's tags say it.
        var tags: String
        /// The kernel's function or section that says so.
        var source: String
        /// What real kernels were seen to do where that is more than the title says.
        var note: String?
    }

    var rules: [Entry]

    init(_ rules: [Rule] = RuleBook.rules) {
        self.rules = rules.map { rule in
            Entry(
                number: rule.number, topic: rule.topic.rawValue, title: rule.title, tags: rule.tags,
                source: rule.source, note: rule.note)
        }
    }
}
