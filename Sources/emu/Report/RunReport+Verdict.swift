internal import VirtioNet

extension RunReport {
    /// The exit status that the report calls for.
    var status: ExitStatus { verdict == .wrong ? .foundSomethingWrong : .done }

    /// Fills in what the numbers say: the verdict, and what is wrong. `moved` are the ports whose interface was no longer
    /// where they name it.
    mutating func judge(moved: [PortSpecification] = []) {
        problems = findProblems(moved: moved)
        verdict = !problems.isEmpty ? .wrong : lack == nil ? .ok : .notShown
    }

    /// The last line: the verdict and what it rests on.
    var conclusion: String {
        let words: String
        switch verdict {
        case .wrong: words = problems.joined(separator: "; ")
        case .notShown: words = [lack, hasFlow ? basis : nil].compactMap(\.self).joined(separator: "; ")
        case .ok: words = basis
        }
        return "\(verdict.rawValue): \(words)" + (interrupted ? " (ended early: somebody asked)" : "")
    }

    /// Whether what the generator sends comes back.
    var expectsReturn: Bool {
        guestPort.carried(at: .guest) == .generator
            && (wirePort.map { $0.carried(at: .wire) == .loopback } ?? true)
    }

    /// The ports as they were set up with.
    var guestPort: PortSpecification { Self.port(setup.guest) }
    /// None of a real device, whose wire is its own.
    var wirePort: PortSpecification? { setup.wire.map(Self.port) }

    private static func port(_ text: String) -> PortSpecification {
        (try? PortSpecification(parsing: text)) ?? .none
    }

    // MARK: What was shown

    /// What was to be shown and was not, although nothing was wrong.
    var lack: String? {
        if !hasFlow {
            switch guestPort.carried(at: .guest) {
            case .none: return "nothing was sent, as the guest's port is none"
            case .generator: return "no frame was sent"
            default: return "no frame came in at \(ports)"
            }
        }
        if wirePort?.carried(at: .wire) == PortSpecification.none {
            return "no frame can come back, as the wire's port is none"
        }
        if !expectsReturn, let flow = flows.first(where: { $0.left == 0 }) {
            return "not one frame from \(flow.source) came through"
        }
        if ringRecoveries > 0, !showsRepetition {
            return "nothing here can tell whether a frame went out twice where ring positions were recovered"
        }
        if cycles > 0, idleStops == cycles {
            return "every frame was back before the first stop, and none passed after one:"
                + " send more, or stop sooner"
        }
        guard setup.cycles != 0, cycles == 0 else { return nil }
        let lasted = NumberText.time(microseconds: trafficTime)
        return "no stop took place, as the run ended after \(lasted) and the interval is "
            + NumberText.time(microseconds: setup.interval)
    }

    /// Whether a frame that goes out twice is seen: by the generator, to which it comes back twice, or by the device's own
    /// account, which takes it twice from the ring.
    private var showsRepetition: Bool { expectsReturn || accounts.allSatisfy { $0.device != nil } }

    private var ports: String { setup.guest + (setup.wire.map { " or \($0)" } ?? "") }

    /// Whether a frame came in at either end.
    private var hasFlow: Bool { packets.sent > 0 || flows.contains { $0.entered > 0 } }

    /// What the verdict rests on: frames by their fate, and stops.
    var basis: String {
        let frames = expectsReturn ? generated : flows.map(\.text).joined(separator: "; ")
        return frames + (cycles == 0 && setup.cycles != 0 ? "" : ", over \(stops)")
    }

    private var generated: String {
        let sent = "\(NumberText.grouped(packets.sent)) \(packets.sent == 1 ? "frame" : "frames") sent"
        guard packets.received != packets.sent else { return "\(sent), all of them back and unchanged" }
        let abandoned = ringRecoveries == 0 ? "abandoned in rings that started over" : "abandoned at resets"
        let named = [(packets.abandoned, abandoned)] + dropsByName
        let unnamed = named.reduce(packets.sent - min(packets.sent, packets.received)) { $0 - min($0, $1.0) }
        let fates = named + [(min(unnamed, parentDrops), "dropped by the device, as its parent counts")]
        let rest = fates.filter { $0.0 > 0 }.map { ", \(NumberText.grouped($0.0)) \($0.1)" }
        return "\(sent), \(NumberText.grouped(packets.received)) back and unchanged" + rest.joined()
    }

    /// Drops that stand in no account but a real device's parent's.
    private var parentDrops: UInt64 { accounts.contains { $0.device != nil } ? 0 : packets.deviceDrops }

    /// What the frames' end is called, on whichever side of whichever queue, but for abandoned ones: the generator knows
    /// of those that have come back after all.
    private var dropsByName: [(UInt64, String)] {
        var total = QueueAccount.Side()
        for side in accounts.flatMap(\.sides) { total += side.account }
        total.abandoned = 0
        total.pending = accounts.filter(\.isTransmit).reduce(0) { $0 + $1.driver.pending }
        return total.named.map { ($0.count, $0.words) }
    }

    private var stops: String {
        let asked = setup.cycles ?? cycles
        if asked == 0 { return "no stop, as asked" }
        let made = NumberText.grouped(cycles)
        let words =
            cycles < asked
            ? "\(made) of \(NumberText.grouped(asked)) stops"
                + (ending == .timeWasUp ? ", when the time was up" : "")
            : "\(made) \(cycles == 1 ? "stop" : "stops")"
        let kinds = [
            (idleStops, "every frame back already"), (ringRecoveries, "ring positions recovered"),
        ]
        return kinds.filter { $0.0 > 0 }
            .reduce(words) { "\($0), \(NumberText.grouped($1.0)) of them with \($1.1)" }
    }

    /// Frames through the device one way: where they came from, where they went, and where the rest is.
    private struct Flow {
        let source: String
        let entered: UInt64
        let left: UInt64
        let text: String

        init?(_ accounts: [QueueAccount], from source: String, to end: String) {
            guard let sum = QueueAccount.sum(accounts), let first = sum.sides.first,
                let last = sum.sides.last,
                first.account.entered > 0
            else { return nil }
            self.source = source
            entered = first.account.entered
            left = last.account.left
            var total = QueueAccount.Side()
            for side in sum.sides { total += side.account }
            let begin = "\(NumberText.grouped(entered)) \(entered == 1 ? "frame" : "frames") from \(source), "
            guard left != entered || total.cut > 0 else {
                text = "\(begin)all of them \(end)"
                return
            }
            let rest = total.named.map { ", \(NumberText.grouped($0.count)) \($0.words)" }
            text = "\(begin)\(NumberText.grouped(left)) \(end)" + rest.joined() + total.cutText
        }
    }

    private var flows: [Flow] {
        [
            Flow(
                accounts.filter(\.isTransmit), from: setup.guest,
                to: wirePort.flatMap { $0.leadsOut ? "out of \($0)" : nil } ?? "taken by the device"),
            Flow(
                accounts.filter { !$0.isTransmit }, from: setup.wire ?? "the device",
                to: guestPort.leadsOut ? "out of \(guestPort)" : "received by the guest"),
        ].compactMap(\.self)
    }
}
