/// Two runs that differ in IOTLB_PERSIST alone, as `emu run --compare --json` prints them.
struct RunComparison: JSONResult, Codable, Equatable, Sendable {
    static let schema = JSONSchema.runComparison

    /// What the runs are called.
    static let keptName = "kept"
    static let notNegotiatedName = "not negotiated"

    /// The run that acknowledges IOTLB_PERSIST where it is offered.
    let kept: RunReport
    /// The run that does not; none where it did not take place.
    let notNegotiated: RunReport?
    /// How many times as long as in the first run a stop and start took in the second, by their medians; none where one
    /// of them has no stop.
    let ratio: Double?
    let verdict: RunReport.Verdict
    /// What was wrong, in words, each after the name of its run.
    let problems: [String]
    /// Whether a signal ended it before its time.
    let interrupted: Bool

    /// Judges two runs. `failure` says why the second could not start.
    init(kept: RunReport, notNegotiated: RunReport?, failure: String? = nil) {
        self.kept = kept
        self.notNegotiated = notNegotiated
        // Between the two runs a signal leaves the second out.
        let isLeftOut = notNegotiated == nil && failure == nil
        interrupted = kept.interrupted || notNegotiated?.interrupted ?? isLeftOut
        let runs = Self.runs(kept, notNegotiated)
        var problems = runs.flatMap { name, report in
            (report.problems + Self.contradictions(report, name)).map { "\(name): \($0)" }
        }
        if let failure { problems.append("\(Self.notNegotiatedName): the run could not start: \(failure)") }
        self.problems = problems
        if let before = kept.cycleTime?.p50, let after = notNegotiated?.cycleTime?.p50, before > 0 {
            ratio = after / before
        } else {
            ratio = nil
        }
        verdict = !problems.isEmpty ? .wrong : Self.lack(kept, notNegotiated) == nil ? .ok : .notShown
    }

    /// Writes what there is none of as `null`: a reader finds every field.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kept, forKey: .kept)
        try container.encode(notNegotiated, forKey: .notNegotiated)
        try container.encode(ratio, forKey: .ratio)
        try container.encode(verdict, forKey: .verdict)
        try container.encode(problems, forKey: .problems)
        try container.encode(interrupted, forKey: .interrupted)
    }

    /// The runs that took place, by name.
    var runs: [(name: String, report: RunReport)] { Self.runs(kept, notNegotiated) }

    /// The exit status that the comparison calls for.
    var status: ExitStatus { verdict == .wrong ? .foundSomethingWrong : .done }

    /// The last line: the verdict and what it rests on.
    var conclusion: String {
        let words =
            switch verdict {
            case .wrong: problems.joined(separator: "; ")
            case .notShown:
                Self.lack(kept, notNegotiated).map { hasShownFrames ? "\($0); \(basis)" : $0 } ?? ""
            case .ok: "\(cost); \(basis)"
            }
        return "\(verdict.rawValue): \(words)" + (interrupted ? " (ended early: somebody asked)" : "")
    }

    // MARK: Judgement

    private static func runs(
        _ kept: RunReport, _ notNegotiated: RunReport?
    ) -> [(name: String, report: RunReport)] {
        [(keptName, kept)] + (notNegotiated.map { [(notNegotiatedName, $0)] } ?? [])
    }

    /// What a run did that contradicts its name.
    private static func contradictions(_ report: RunReport, _ name: String) -> [String] {
        guard report.cycles > 0 else { return [] }
        let maps = report.iotlb.perCycle
        if report.persist.acknowledged {
            guard name == keptName else {
                return ["IOTLB_PERSIST was acknowledged, although it was not to be"]
            }
            guard maps.updates == 0, maps.invalidates == 0 else {
                return ["maps were sent at a stop and start, although IOTLB_PERSIST was acknowledged"]
            }
            return []
        }
        return maps.updates == 0 || maps.invalidates == 0
            ? ["no maps were sent at a stop and start, although IOTLB_PERSIST was not acknowledged"] : []
    }

    /// What was to be shown and was not, although nothing was wrong.
    private static func lack(_ kept: RunReport, _ notNegotiated: RunReport?) -> String? {
        guard let notNegotiated else { return "the run without IOTLB_PERSIST did not take place" }
        guard kept.persist.acknowledged else {
            return "the device does not offer IOTLB_PERSIST, so both runs mapped everything again"
        }
        for (name, report) in runs(kept, notNegotiated) {
            if let lack = report.lack { return "\(name): \(lack)" }
            // A run that was to have no certain number of them, and was ended before the first.
            if report.cycles == 0 { return "\(name): no stop took place" }
        }
        return nil
    }

    // MARK: Words

    /// What the second run's stops cost.
    private var cost: String {
        guard let ratio else {
            return "a stop and start without IOTLB_PERSIST took too little time to compare"
        }
        return "a stop and start without IOTLB_PERSIST took \(NumberText.short(ratio)) times as long (p50)"
    }

    /// Whether both runs took place, and each shows what one by itself does.
    private var hasShownFrames: Bool { notNegotiated != nil && runs.allSatisfy { $0.report.lack == nil } }

    /// What became of the frames.
    private var basis: String {
        let runs = runs
        guard
            runs.allSatisfy({
                $0.report.expectsReturn && $0.report.packets.received == $0.report.packets.sent
            })
        else { return runs.map { "\($0.name): \($0.report.basis)" }.joined(separator: "; ") }
        let sent = runs.map { NumberText.grouped($0.report.packets.sent) }.joined(separator: " and ")
        return "of \(sent) frames all came back unchanged"
    }
}
