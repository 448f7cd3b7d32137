/// What state a device is in when it is asked something: the columns of a coverage table.
public enum ScriptSituation: String, CaseIterable, Hashable, Sendable, Comparable {
    /// No file is open.
    case closed
    /// A forked child asks, whatever the state is.
    case child = "by a child"
    /// Nobody owns the file.
    case noOwner = "no owner"
    /// It has an owner, and no features yet.
    case owned
    /// FEATURES_OK is set.
    case features = "features ok"
    /// DRIVER_OK is set.
    case running
    /// It runs, and SUSPEND has succeeded.
    case suspended
    /// A batch is open, whatever else.
    case batch = "in a batch"

    /// In the table's order.
    public static func < (left: Self, right: Self) -> Bool {
        allCases.firstIndex(of: left) ?? 0 < allCases.firstIndex(of: right) ?? 0
    }
}

/// Follows a script that is played, by what was answered.
struct ScriptSituationTracker {
    private var file: ScriptName?
    private var isOwned = false
    private var status: UInt64 = 0
    private var isSuspended = false
    private var hasBatch = false

    /// The situation in which `step` is made.
    func situation(of step: ScriptStep) -> ScriptSituation {
        guard file != nil else { return .closed }
        if case .request(_, _, .child) = step { return .child }
        if hasBatch { return .batch }
        guard isOwned else { return .noOwner }
        if status & 4 != 0 { return isSuspended ? .suspended : .running }
        return status & 8 != 0 ? .features : .owned
    }

    /// The step was answered.
    mutating func note(_ step: ScriptStep, _ answer: ScriptAnswer) {
        guard answer.isSuccess else { return }
        switch step {
        case .open(let name):
            self = Self()
            file = name
        case .close(let name): if name == file { self = Self() }
        case .message(let message, let name):
            guard name == file else { return }
            if message.kind == .batchBegin { hasBatch = true }
            if message.kind == .batchEnd { hasBatch = false }
        case .request(let request, let name, _): if name == file { note(request) }
        default: break
        }
    }

    private mutating func note(_ request: ScriptRequest) {
        switch (request.kind?.name, request.argument) {
        case ("SET_OWNER", _): isOwned = true
        case ("SET_STATUS", .number(let number)):
            status = number & 0xff
            if status == 0 { isSuspended = false }
        case ("SUSPEND", _): isSuspended = status & 4 != 0
        case ("RESUME", _): isSuspended = false
        default: break
        }
    }
}
