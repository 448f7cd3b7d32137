/// One rule that every vhost-vdpa device must obey, as a value: what it says, whom it binds, and how to ask.
///
/// The list of them is the documentation of the interface (`docs/rules.md` is printed from it). An action opens
/// the device afresh, and leaves it closed: `RuleContext` closes what the action opened. It never waits without
/// a bound and never asserts on speed.
public struct Rule: Sendable {
    /// The number by which commands and documents name it. From 101 on: this project's own.
    public let number: Int
    /// What it is about.
    public let topic: RuleTopic
    /// What holds, in one line.
    public let title: String
    /// What a device must be for the question to make sense.
    package let needs: [RuleNeed]
    /// The kernel's function or section that says so.
    public let source: String
    /// What the real kernels were seen to do where that is more than the title says, with their builds.
    public let note: String?
    let action: @Sendable (RuleContext) throws -> Void

    init(
        _ number: Int, _ topic: RuleTopic, _ title: String, needs: [RuleNeed] = [], source: String,
        note: String? = nil, action: @escaping @Sendable (RuleContext) throws -> Void
    ) {
        self.number = number
        self.topic = topic
        self.title = title
        self.needs = needs
        self.source = source
        self.note = note
        self.action = action
    }

    /// The tags of its needs: A for any device.
    public var tags: String { needs.isEmpty ? "A" : needs.map(\.tag).joined(separator: ", ") }

    /// Asks the device that `opener` opens.
    public func run(on opener: DeviceOpener, traits: DeviceTraits) -> RuleOutcome {
        let obstacles = needs.compactMap { $0.obstacle(in: traits, opener) }
        for case .notOffered(let reason) in obstacles { return .notApplicable(reason: reason) }
        for case .unknown(let reason) in obstacles { return .notAsked(reason: reason) }
        let context = RuleContext(opener: opener, traits: traits)
        defer { context.closeAll() }
        let outcome = ask(context)
        if case .notApplicable = outcome { return outcome }
        if case .notAsked = outcome { return outcome }
        // Success and refusal alike may be the shortage's.
        return CallerShortage.now.map { .notAsked(reason: $0) } ?? outcome
    }

    private func ask(_ context: RuleContext) -> RuleOutcome {
        do {
            try action(context)
            return .passed
        } catch let interruption as RuleInterruption {
            switch interruption {
            case .failed(let expected, let seen): return .failed(expected: expected, seen: seen)
            case .notApplicable(let reason): return .notApplicable(reason: reason)
            case .notAsked(let reason): return .notAsked(reason: reason)
            }
        } catch {
            return .failed(expected: "the rule's action to end", seen: "\(error)")
        }
    }
}
