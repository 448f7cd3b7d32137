/// A step that did not answer as it was to.
public struct ScriptDifference: Hashable, Sendable {
    /// The line's number in the script, from 0.
    public let line: Int
    /// What was to be answered: the expectation, or the first device's answer.
    public let expected: ScriptExpectation
    /// What was answered.
    public let seen: ScriptAnswer
}

extension DeviceScript {
    /// Where `answers`, one a line, are not what the script expects.
    public func differences(from answers: [ScriptAnswer?]) -> [ScriptDifference] {
        zip(lines.indices, zip(lines, answers)).compactMap { index, pair in
            guard let expectation = pair.0.expectation, let answer = pair.1, !expectation.holds(answer) else {
                return nil
            }
            return ScriptDifference(line: index, expected: expectation, seen: answer)
        }
    }

    /// The script with `answers`, one a line, as what it expects; what may vary still may.
    public func expecting(_ answers: [ScriptAnswer?]) -> DeviceScript {
        var script = self
        for (index, answer) in zip(lines.indices, answers) where lines[index].step != nil {
            switch (answer, lines[index].expectation) {
            case (nil, _): script.lines[index].expectation = nil
            case (let answer?, .anySuccess) where answer.isSuccess:
                script.lines[index].expectation = .anySuccess(seen: answer)
            case (let answer?, _): script.lines[index].expectation = .exactly(answer)
            }
        }
        return script
    }

    /// The script without expectations.
    public var withoutExpectations: DeviceScript {
        var script = self
        for index in script.lines.indices { script.lines[index].expectation = nil }
        return script
    }
}
