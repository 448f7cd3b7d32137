/// What was asked of devices, in what state, and what was answered: of any number of scripts that were played.
public struct ScriptCoverage: Hashable, Sendable {
    /// How often each answer was seen, by call and by situation.
    private var counts: [String: [ScriptSituation: [String: Int]]] = [:]
    /// How many calls were made.
    public private(set) var callCount = 0
    /// How many scripts were noted.
    public private(set) var scriptCount = 0

    /// Nothing yet.
    public init() {}

    /// Notes a script that was played, with the answers of its lines.
    public mutating func note(_ script: DeviceScript, _ answers: [ScriptAnswer?]) {
        scriptCount += 1
        var tracker = ScriptSituationTracker()
        for (line, answer) in zip(script.lines, answers) {
            guard let step = line.step, let answer else { continue }
            if let call = step.call {
                callCount += 1
                let situation = tracker.situation(of: step)
                counts[call, default: [:]][situation, default: [:]][Self.text(answer), default: 0] += 1
            }
            tracker.note(step, answer)
        }
    }

    /// Adds what another one has noted.
    public mutating func merge(_ other: ScriptCoverage) {
        callCount += other.callCount
        scriptCount += other.scriptCount
        for (call, situations) in other.counts {
            for (situation, answers) in situations {
                counts[call, default: [:]][situation, default: [:]].merge(answers) { $0 + $1 }
            }
        }
    }

    private static func text(_ answer: ScriptAnswer) -> String {
        if case .error(let errno) = answer { ErrnoName.text(errno) } else { "ok" }
    }

    /// The answers seen to a call in a situation, with how often each was.
    public func answers(to call: String, in situation: ScriptSituation) -> [String: Int] {
        counts[call]?[situation] ?? [:]
    }

    /// How many of the calls succeeded, of a hundred.
    public var successShare: Int {
        let answers = counts.values.flatMap(\.values)
        let successes = answers.reduce(0) { $0 + ($1["ok"] ?? 0) }
        return callCount == 0 ? 0 : successes * 100 / callCount
    }

    /// How many different answers were seen, of each call in each situation.
    public var cellCount: Int { counts.values.flatMap(\.values).reduce(0) { $0 + $1.count } }

    // MARK: What there is to ask

    /// The calls that belong in a table, in its order.
    public static let calls: [String] =
        ["open", "close"] + ScriptRequestKind.all.map(\.name) + ["IOCTL"]
        + ScriptMessage.Kind.allCases.map(\.name) + ["write", "map", "signal", "take"]

    /// The situations in which a call can be asked.
    public static func situations(of call: String) -> [ScriptSituation] {
        switch call {
        case "open": ScriptSituation.allCases.filter { $0 != .child }
        case "close", "write", "map", "signal", "take":
            ScriptSituation.allCases.filter { $0 != .child && $0 != .closed }
        case _ where ScriptMessage.Kind.allCases.contains { $0.name == call }:
            ScriptSituation.allCases.filter { $0 != .child && $0 != .closed }
        default: ScriptSituation.allCases.filter { $0 != .closed }
        }
    }

    /// What was never asked: calls, and the situations that are missing of each.
    public var neverAsked: [(call: String, situation: ScriptSituation)] {
        Self.calls.flatMap { call in
            Self.situations(of: call).filter { answers(to: call, in: $0).isEmpty }.map { (call, $0) }
        }
    }

    // MARK: As text

    /// A table: a row for each call, a column for each situation, in the cells the answers with how often each was seen, the
    /// most frequent first. Below it what was never asked.
    public var table: String {
        let situations = ScriptSituation.allCases.filter { $0 != .closed }
        var rows = [["call"] + situations.map(\.rawValue)]
        for call in Self.calls where counts[call] != nil {
            rows.append([call] + situations.map { cell(answers(to: call, in: $0)) })
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var lines = rows.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
                .trimmingSpaces
        }
        lines.append("")
        lines.append(
            "\(callCount) calls in \(scriptCount) scripts, \(successShare)% successful, \(cellCount) answers told apart"
        )
        let missing = neverAsked.map { "\($0.call) (\($0.situation.rawValue))" }
        lines.append("never asked: " + (missing.isEmpty ? "nothing" : missing.joined(separator: ", ")))
        return lines.joined(separator: "\n")
    }

    private func cell(_ answers: [String: Int]) -> String {
        answers.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }.joined(
            separator: ", ")
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        var text = self
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }
}

extension ScriptStep {
    /// The call that a step is, as coverage names it; `nil` for what concerns the process's memory alone, and for waits.
    var call: String? {
        switch self {
        case .open: "open"
        case .close: "close"
        case .request(let request, _, _): request.kind?.name ?? "IOCTL"
        case .message(let message, _): message.kind.name
        case .write, .writeFrom: "write"
        case .map: "map"
        case .signal: "signal"
        case .take: "take"
        case .ring, .memory, .protect, .unmap, .store, .load, .eventFD, .settle, .pause: nil
        }
    }
}
