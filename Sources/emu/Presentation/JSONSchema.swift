/// What a JSON object of `emu` is, as the object's `schema` names it; `docs/json-schema/NAME.schema.json` says what is
/// in it.
enum JSONSchema: String, CaseIterable, Sendable {
    /// `emu run`.
    case run
    /// `emu run --compare`.
    case runComparison = "run-comparison"
    /// `emu check`.
    case check
    /// `emu check --list`.
    case checkList = "check-list"
    /// `emu check --sequences`.
    case checkSequences = "check-sequences"
    /// `emu check --device all`.
    case checkAll = "check-all"
    /// `emu check --device all --sequences`.
    case checkSequencesAll = "check-sequences-all"
    /// `emu cycle`.
    case cycle
    /// `emu info`.
    case info
    /// `emu vduse`.
    case vduse
    /// `emu replay`.
    case replay
    /// `emu exec --report`.
    case exec
    /// `emu replay --random`.
    case replayRandom = "replay-random"
    /// What any of them prints where it has no result.
    case error

    /// Grows when a field changes its meaning or goes. A new field does not change it: the schemas that are out take
    /// fields that they do not know.
    var version: Int {
        switch self {
        case .run, .runComparison, .check, .checkList, .checkAll, .cycle, .info, .vduse, .replay,
            .replayRandom,
            .exec, .error:
            1
        // Seeds are text.
        case .checkSequences, .checkSequencesAll: 2
        }
    }
}

/// What a command prints with `--json`.
protocol JSONResult: Encodable {
    /// What readers find in it.
    static var schema: JSONSchema { get }
}
