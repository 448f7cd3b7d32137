internal import ClientRules
internal import DeviceScripts
internal import EmulatedMachine
internal import Logging
internal import SystemPackage
internal import VhostVDPAConformance

/// One `emu replay`, from a script that was read to exit status.
struct ReplaySession {
    let device: DeviceSpecification
    let against: DeviceSpecification?
    let isMinimised: Bool
    /// Whether the script is judged by the rules for clients.
    let judges: Bool
    let output: OutputOptions
    let interrupt: RunInterrupt

    func run(_ script: DeviceScript) throws(StartError) -> ExitStatus {
        let first = try ReplayedDevice(device, output: output, interrupt: interrupt)
        let second: ReplayedDevice? =
            if let against { try ReplayedDevice(against, output: output, interrupt: interrupt) } else { nil }
        interrupt.enter("a call to end")
        var report = try play(script, on: first, second, printing: !isMinimised)
        if isMinimised, !report.differences.isEmpty {
            if !report.interrupted { report = try shortest(script, report, first, second) }
            output.print(String(report.script.dropLast()))
        }
        output.print(report.verdict)
        // The script with the device's answers as what it expects.
        if judges, let answered = try? DeviceScript(parsing: report.script) {
            output.print(ClientWatch.judge(answered).lines.map { "# \($0)" }.joined(separator: "\n"))
        }
        if output.json { Console.output(JSONText.encode(report)) }
        return report.status
    }

    /// Plays a script on one device or on both.
    private func play(
        _ script: DeviceScript, on first: ReplayedDevice, _ second: ReplayedDevice?, printing: Bool
    ) throws(StartError) -> ReplayReport {
        var lines: [DeviceScript.Line] = []
        var (calls, compared) = (0, 0)
        var differences: [ReplayReport.Difference] = []
        /// Takes a line with its answer and with what it was to be.
        func take(
            _ line: DeviceScript.Line, _ answer: ScriptAnswer?, _ expected: ScriptExpectation?,
            by whom: String
        ) {
            guard let step = line.step, let answer else { return lines.append(line) }
            calls += 1
            var difference: String?
            if let expected {
                compared += 1
                if !expected.holds(answer) {
                    let words = expected.text(of: step)
                    difference = "\(whom) \(words)"
                    differences.append(
                        .init(
                            line: lines.count + 1, call: "\(step)", expected: words,
                            seen: ScriptExpectation.exactly(answer).text(of: step)))
                }
            }
            lines.append(line.answered(answer, otherThan: difference))
        }
        func show(from start: Int) {
            guard printing, lines.count > start else { return }
            output.print(lines[start...].map(\.description).joined(separator: "\n"))
        }
        var refusal: String?
        if let second {
            let answers = try first.play(script)
            let others = try second.play(script)
            refusal = Self.refusal(script, answers, others)
            for (index, line) in script.lines.enumerated() {
                take(
                    line, answers[index], others[index].map { line.expectation(of: $0) },
                    by: "\(against?.description ?? "") answers")
            }
            show(from: 0)
        } else {
            try first.play(script) { index, answer in
                let start = lines.count
                lines += script.lines[start..<index]
                take(script.lines[index], answer, script.lines[index].expectation, by: "expected")
                show(from: start)
            }
            let start = lines.count
            lines += script.lines[start...].prefix { $0.step == nil }
            show(from: start)
        }
        var problems = [first, second].compactMap { $0?.failure }
        if let refusal { problems.append(refusal) }
        return ReplayReport(
            device: device.description, against: against?.description, calls: calls, compared: compared,
            differences: differences, script: DeviceScript(lines: lines).description,
            // Of two devices the second may be the one that was not asked to the end.
            interrupted: interrupt.wasRaised
                && min(calls, second == nil ? calls : compared) < script.steps.count,
            problems: problems)
    }

    /// Why what two devices answered alike says nothing of either: `nil` where one of them was open.
    static func refusal(
        _ script: DeviceScript, _ answers: [ScriptAnswer?], _ others: [ScriptAnswer?]
    ) -> String? {
        let opens = script.lines.indices.filter { index in
            if case .open = script.lines[index].step { true } else { false }
        }
        let seen = opens.flatMap { [answers[$0], others[$0]] }.compactMap(\.self)
        guard let refusal = seen.first, case .error(let errno) = refusal, !seen.contains(where: \.isSuccess)
        else { return nil }
        return "neither device was opened: \(errno) (errno \(errno.rawValue)); end whoever else has them open"
    }

    /// `whole` of the fewest lines that still show some of its differences, and no other one: a call that is missed by what
    /// comes after it is not what the script is about. Where somebody asked to end, of the fewest so far.
    private func shortest(
        _ script: DeviceScript, _ whole: ReplayReport, _ first: ReplayedDevice, _ second: ReplayedDevice?
    ) throws(StartError) -> ReplayReport {
        let known = Set(whole.differences.map { Shown($0, isExact: second == nil) })
        func shows(_ report: ReplayReport) -> Bool {
            !report.interrupted && !report.differences.isEmpty
                && report.differences.allSatisfy { known.contains(Shown($0, isExact: second == nil)) }
        }
        var best = whole
        var minimiser = ScriptMinimiser()
        minimiser.isInterrupted = { interrupt.wasRaised }
        let short = try minimiser.minimise(script) { (script) throws(StartError) in
            let report = try play(script, on: first, second, printing: false)
            guard shows(report) else { return false }
            best = report
            return true
        }
        let last = try play(short, on: first, second, printing: false)
        if shows(last) { return last }
        if interrupt.wasRaised {
            best.interrupted = true
        } else {
            best.problems.append(
                "played once more, the shortest part shows no such difference: it comes and goes; this is what was seen"
            )
        }
        return best
    }

    /// What makes two differences one: the call, and where one answer is written down both answers.
    private struct Shown: Hashable {
        let words: [String]

        init(_ difference: ReplayReport.Difference, isExact: Bool) {
            words = [difference.call] + (isExact ? [difference.expected, difference.seen] : [])
        }
    }
}

extension DeviceScript.Line {
    /// Another device's answer as what this line expects; what may vary still may.
    fileprivate func expectation(of answer: ScriptAnswer) -> ScriptExpectation {
        if case .anySuccess = expectation, answer.isSuccess {
            .anySuccess(seen: answer)
        } else {
            .exactly(answer)
        }
    }
}

/// A device that scripts are played on, one after the other.
struct ReplayedDevice {
    private let device: CheckedDevice
    private let target: ScriptTarget
    private let name: String

    init(_ specification: DeviceSpecification, output: OutputOptions, interrupt: RunInterrupt)
        throws(StartError)
    {
        device = try CheckedDevice(specification, logger: output.makeLogger(), interrupt: interrupt)
        name = specification.description
        let opener = device.opener
        target = ScriptTarget(
            settle: opener.settle, callFromChild: opener.ioctlFromChild,
            isInterrupted: { interrupt.wasRaised },
            open: opener.open)
    }

    /// Why the device can be asked no more.
    var failure: String? { device.failure }

    /// Plays a script; `note` is told of each answer as it comes.
    @discardableResult
    func play(
        _ script: DeviceScript, note: (Int, ScriptAnswer) -> Void = { _, _ in }
    ) throws(StartError) -> [ScriptAnswer?] {
        do throws(ScriptProblem) {
            return try ScriptPlayer.play(script, on: target, note: note)
        } catch {
            throw StartError("\(name): \(error)")
        }
    }
}
