/// What a process does to vhost-vdpa files, call by call, and what each call is expected to answer.
///
/// A script is a value: it is read from text and written as text (``init(parsing:)``, ``description``), recorded,
/// generated, played on any device, shortened. One line is one step.
public struct DeviceScript: Hashable, Sendable {
    /// One step, with what is expected of it.
    public struct Line: Hashable, Sendable {
        /// What is done; `nil` where the line is a comment or empty.
        public var step: ScriptStep?
        /// What it is to answer; `nil` where nothing is said.
        public var expectation: ScriptExpectation?
        /// What stands behind `#`, without the space after it; `nil` where there is none.
        public var comment: String?

        /// A line.
        public init(
            _ step: ScriptStep?, expecting expectation: ScriptExpectation? = nil, comment: String? = nil
        ) {
            self.step = step
            self.expectation = expectation
            self.comment = comment
        }
    }

    /// The lines, in their order.
    public var lines: [Line]

    /// A script of `lines`.
    public init(lines: [Line] = []) { self.lines = lines }

    /// A script of steps without expectations.
    public init(steps: [ScriptStep]) { lines = steps.map { Line($0) } }

    /// The steps alone.
    public var steps: [ScriptStep] { lines.compactMap(\.step) }
}
