internal import DeviceScripts
internal import EmulatedMachine

/// Scripts that are made up, each played on two devices (`emu replay --random`).
struct RandomReplay {
    let device: DeviceSpecification
    let against: DeviceSpecification
    let count: Int
    let callsEach: Int
    let seed: UInt64
    let output: OutputOptions
    let interrupt: RunInterrupt

    /// How many kinds of difference are shortened and shown; the others are counted.
    private static let shownKinds = 12

    func run() throws(StartError) -> ExitStatus {
        let first = try ReplayedDevice(device, output: output, interrupt: interrupt)
        let second = try ReplayedDevice(against, output: output, interrupt: interrupt)
        let generator = ScriptGenerator(profile: try profile(of: first))
        interrupt.enter("a script to end")
        var coverage = ScriptCoverage()
        var report = RandomReplayReport(
            device: device.description, against: against.description, seed: "\(seed)", scripts: count,
            played: 0,
            callsEach: callsEach, calls: 0, successShare: 0, answers: 0, neverAsked: [], known: [],
            differing: 0,
            kinds: [],
            interrupted: false, problems: [])
        for index in 0..<count {
            guard !interrupt.wasRaised, report.problems.isEmpty else { break }
            let seed = seed &+ UInt64(index)
            let script = generator.script(seed: seed, stepCount: callsEach)
            let (answers, others) = (try first.play(script), try second.play(script))
            guard !interrupt.wasRaised else { break }
            report.played += 1
            coverage.note(script, answers)
            report.problems = [first, second].compactMap(\.failure)
            guard report.problems.isEmpty else { continue }
            note(known: script, answers, others, seed, in: &report)
            guard let difference = unknown(of: script, answers, others) else { continue }
            report.differing += 1
            if let known = report.kinds.firstIndex(where: { difference.isAlike($0) }) {
                report.kinds[known].scripts += 1
            } else if report.kinds.count < Self.shownKinds {
                let seen = Seen(script: script, answers: answers, difference: difference)
                report.kinds.append(try shortest(seen, seed, generator, first, second))
            }
        }
        report.interrupted = interrupt.wasRaised
        (report.calls, report.successShare) = (coverage.callCount, coverage.successShare)
        report.answers = coverage.cellCount
        report.neverAsked = coverage.neverAsked.map { "\($0.call) (\($0.situation.rawValue))" }
        output.print(coverage.table)
        output.print(report.verdict)
        if output.json { Console.output(JSONText.encode(report)) }
        return report.status
    }

    /// The first step that the two answered differently, and no row says that they do.
    private func unknown(of script: DeviceScript, _ answers: [ScriptAnswer?], _ others: [ScriptAnswer?])
        -> Difference?
    {
        Difference(script, answers, others) { row(of: $0, $1, $2) != nil }
    }

    /// Counts the answers that differ as a row says, each with the first script's seed.
    private func note(
        known script: DeviceScript, _ answers: [ScriptAnswer?], _ others: [ScriptAnswer?], _ seed: UInt64,
        in report: inout RandomReplayReport
    ) {
        for (line, played) in zip(script.lines, zip(answers, others)) {
            guard let step = line.step, let answer = played.0, let other = played.1,
                let row = row(of: step, answer, other)
            else { continue }
            if let index = report.known.firstIndex(where: { $0.row == row }) {
                report.known[index].answers += 1
            } else {
                report.known.append(.init(row: row, answers: 1, seed: "\(seed)"))
            }
        }
    }

    /// The row of a difference that is known; nil for every other one, and where two devices are of one make.
    private func row(of step: ScriptStep, _ answer: ScriptAnswer, _ other: ScriptAnswer) -> Int? {
        guard device.isSimulated != against.isSimulated else { return nil }
        return device.isSimulated
            ? KnownDifference.row(of: step, kernel: other, simulated: answer)
            : KnownDifference.row(of: step, kernel: answer, simulated: other)
    }

    /// What the device is, from its own answers.
    private func profile(of device: ReplayedDevice) throws(StartError) -> ScriptDeviceProfile {
        let answers = try device.play(DeviceScript(steps: ScriptDeviceProfile.questions)).compactMap(\.self)
        guard let profile = ScriptDeviceProfile(answers: answers) else {
            throw StartError(
                "\(self.device): it does not answer what every vhost-vdpa device does; see 'emu check --device \(self.device)'"
            )
        }
        return profile
    }

    /// A script that was played, with what the first device answered and where the second one did not.
    private struct Seen {
        var script: DeviceScript
        var answers: [ScriptAnswer?]
        var difference: Difference
    }

    private func shortest(
        _ whole: Seen, _ seed: UInt64, _ generator: ScriptGenerator, _ first: ReplayedDevice,
        _ second: ReplayedDevice
    ) throws(StartError) -> RandomReplayReport.Kind {
        var minimiser = ScriptMinimiser()
        minimiser.isInterrupted = { interrupt.wasRaised }
        // What stands behind the difference has no part in it.
        var best = whole
        best.script.lines.removeSubrange((whole.difference.line + 1)...)
        // The answers are those of the time when it was seen: it may come and go, and somebody may ask to end.
        _ = try minimiser.minimise(best.script) { (script) throws(StartError) in
            // What has lost a map or a wait may reach memory that is nobody's, or show a race.
            guard generator.permits(script) else { return false }
            let (answers, others) = (try first.play(script), try second.play(script))
            guard let difference = self.unknown(of: script, answers, others),
                difference.isAlike(whole.difference)
            else { return false }
            best = Seen(script: script, answers: answers, difference: difference)
            return true
        }
        let words = best.difference
        let lines = zip(best.script.lines.indices, zip(best.script.lines, best.answers)).map {
            index, played in
            let mark = index == words.line ? "\(against) answers \(words.expected)" : nil
            return played.1.map { played.0.answered($0, otherThan: mark) } ?? played.0
        }
        return .init(
            call: words.call, expected: words.expected, seen: words.seen, scripts: 1, seed: "\(seed)",
            script: DeviceScript(lines: lines).description)
    }
}

/// The first step of a script that two devices answered differently.
private struct Difference {
    let line: Int
    let call: String
    let expected: String
    let seen: String

    /// Nil where there is none but those that are known.
    init?(
        _ script: DeviceScript, _ answers: [ScriptAnswer?], _ others: [ScriptAnswer?],
        isKnown: (ScriptStep, ScriptAnswer, ScriptAnswer) -> Bool
    ) {
        guard
            let line = script.lines.indices.first(where: { index in
                guard answers[index] != others[index] else { return false }
                guard let step = script.lines[index].step, let answer = answers[index],
                    let other = others[index]
                else { return true }
                return !isKnown(step, answer, other)
            }),
            let step = script.lines[line].step, let answer = answers[line], let other = others[line]
        else { return nil }
        self.line = line
        call = "\(step)"
        expected = ScriptExpectation.exactly(other).text(of: step)
        seen = ScriptExpectation.exactly(answer).text(of: step)
    }

    /// Whether another difference is of the same kind: the verb, and the kinds of the two answers.
    func isAlike(_ other: Self) -> Bool { kind == other.kind }
    func isAlike(_ other: RandomReplayReport.Kind) -> Bool {
        kind == Self.kind(call: other.call, expected: other.expected, seen: other.seen)
    }

    private var kind: [String] { Self.kind(call: call, expected: expected, seen: seen) }

    private static func kind(call: String, expected: String, seen: String) -> [String] {
        [String(call.prefix { $0 != " " }), sort(of: expected), sort(of: seen)]
    }

    /// An error by its name; values and bytes are one kind each.
    private static func sort(of answer: String) -> String {
        if answer.hasPrefix("bytes=") {
            "bytes"
        } else if answer.first?.isNumber == true {
            "number"
        } else {
            answer
        }
    }
}
