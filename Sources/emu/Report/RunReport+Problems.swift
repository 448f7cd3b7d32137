internal import EmulatedMachine
internal import VirtioNet

extension RunReport {
    /// What is wrong with these numbers, the gravest first; `moved` as in ``judge(moved:)``.
    func findProblems(moved: [PortSpecification] = []) -> [String] {
        var problems: [String] = []
        if let failure { problems.append("the run broke off: \(failure)") }
        if ending == .deviceWentAway { problems.append("the device went away (vdpa dev del?)") }
        let counts: [(count: UInt64, one: String, many: String)] = [
            (
                UInt64(faults), "DMA fault: the device touched memory that was not mapped for it",
                "DMA faults: the device touched memory that was not mapped for it"
            ),
            (packets.corrupted, "frame corrupted", "frames corrupted"),
            (packets.lost, "frame lost", "frames lost"),
            (packets.duplicated, "frame duplicated\(repetition)", "frames duplicated\(repetition)"),
            (unsent, "frame received that nobody sent", "frames received that nobody sent"),
            // Where frames come back, those are lost, and told.
            (
                packets.lost == 0 ? untaken : 0,
                "frame stood in a transmit ring, and the device did not take it",
                "frames stood in the transmit rings, and the device did not take them"
            ),
            (
                accounts.flatMap(\.sides).reduce(0) { $0 + $1.account.cut },
                "frame cut by the device, longer than a page or than the buffer for it",
                "frames cut by the device, longer than a page or than the buffers for them"
            ),
        ]
        problems += counts.compactMap(counted)
        problems += shortfall + imbalances + refusals(moved)
        problems += lostPorts.map {
            "the network namespace of \($0) was deleted, and what went there reached nobody"
        }
        problems += captures.compactMap(\.problem)
        problems += [
            (
                deviceErrors, "broken chain or ring on the device's side",
                "broken chains or rings on the device's side"
            ),
            (
                driverErrors, "broken chain or ring on the driver's side",
                "broken chains or rings on the driver's side"
            ),
        ].compactMap(counted)
        return problems + restarts + leaks
    }

    /// Why the run ended before its time through no wish of anybody's, in one line for standard error.
    var breakOff: String? {
        switch ending {
        case .deviceWentAway:
            "\(device): the device went away (vdpa dev del?): the run ended and closed it; add it again to go on"
        case .brokeOff: "\(device): the run broke off: \(failure ?? "")"
        case .done, .timeWasUp, .stalled, .interrupted: nil
        }
    }

    private func counted(_ count: UInt64, _ one: String, _ many: String) -> String? {
        count == 0 ? nil : "\(NumberText.grouped(count)) \(count == 1 ? one : many)"
    }

    /// Frames that were to be sent, or to come back, and did not, where nobody asked for the end.
    private var shortfall: [String] {
        guard !interrupted, failure == nil else { return [] }
        if let asked = setup.packets, packets.sent < asked {
            let counts = "\(NumberText.grouped(packets.sent)) of \(NumberText.grouped(asked)) frames sent"
            switch ending {
            case .timeWasUp: return ["\(counts) when the time was up"]
            case .stalled:
                return [
                    "\(counts), and none \(expectsReturn ? "came back" : "was taken") for so long that the run ended"
                ]
            default: return [counts]
            }
        }
        if expectsReturn, packets.sent > 0, packets.received == 0 { return ["not one frame came back"] }
        if expectsReturn, packets.sent == 0 { return ["not one frame was sent"] }
        return []
    }

    /// Accounts that do not add up. Where the run broke off they are of the moment and need not.
    private var imbalances: [String] {
        guard failure == nil else { return [] }
        return accounts.flatMap { account -> [String] in
            let name = "queue \(account.queue) (\(account.direction))"
            let sides = account.sides.filter { $0.account.missing != 0 }.map { side in
                "\(name): of \(NumberText.grouped(side.account.entered)) frames on the \(side.name)'s side "
                    + Self.words(forMissing: side.account.missing)
            }
            let ring = account.missingInRing.flatMap { $0 == 0 ? nil : $0 }.map {
                "\(name): between driver and device " + Self.words(forMissing: $0)
            }
            return sides + (ring.map { [$0] } ?? [])
        }
    }

    private static func words(forMissing missing: Int64) -> String {
        missing > 0
            ? "\(NumberText.grouped(missing)) are in no counter"
            : "\(NumberText.grouped(missing.magnitude)) more came out than went in"
    }

    /// Ports that did not take frames, or did not give any: the guest's is the driver's, the wire's the device's.
    private func refusals(_ moved: [PortSpecification]) -> [String] {
        func refused(_ port: PortSpecification, _ sides: [QueueAccount.Side]) -> String? {
            guard let errno = sides.compactMap(\.lastRefusal).last else { return nil }
            let count = sides.reduce(0) { $0 + $1.refused }
            let frames = "\(NumberText.grouped(count)) \(count == 1 ? "frame" : "frames")"
            return (count == 0 ? "\(port) failed" : "\(frames) refused by \(port)")
                + " (\(PortRefusal(port: port, errno: errno, hasMoved: moved.contains(port)).reason))"
        }
        return [
            refused(guestPort, accounts.map(\.driver)),
            refused(wirePort ?? .none, accounts.compactMap(\.device)),
        ].compactMap(\.self)
    }

    /// What the device did that cost the rings their positions, and is no device's nature.
    private var restarts: [String] {
        let causes = [(failedSuspends, "failed to suspend"), (recoveries, "asked for a reset")].filter {
            $0.0 > 0
        }
        .map { "\($0.1) \($0.0 == 1 ? "once" : "\(NumberText.grouped($0.0)) times")" }
        guard !causes.isEmpty else { return [] }
        let frames = "\(NumberText.grouped(packets.abandoned)) \(packets.abandoned == 1 ? "frame" : "frames")"
        var outcomes = ringRecoveries > 0 ? ["ring positions recovered in \(recoveredStops)"] : []
        let haveStartedOver = ringRestarts > 0 || recoveries > 0
        if haveStartedOver { outcomes.append("rings started over") }
        // Where only the last stop gave no positions, nothing had to go on from them.
        var words = "the device \(causes.joined(separator: " and "))"
        if !outcomes.isEmpty { words += ": " + outcomes.joined(separator: "; ") }
        if haveStartedOver || packets.abandoned > 0 { words += ", \(frames) abandoned" }
        return [words]
    }

    /// Why a frame may have been sent twice, where there is a reason.
    private var repetition: String {
        ringRecoveries == 0 ? "" : ", as can be where ring positions are recovered (\(recoveredStops))"
    }

    private var recoveredStops: String {
        "\(NumberText.grouped(ringRecoveries)) \(ringRecoveries == 1 ? "stop" : "stops")"
    }

    /// What a stop and start took and did not give back.
    private var leaks: [String] {
        func grown(_ pair: Resources.Pair?, _ words: String) -> String? {
            guard let pair, pair.last > pair.first else { return nil }
            return
                "\(NumberText.grouped(pair.last - pair.first)) more \(words) at the end than after the first start"
        }
        return [grown(resources.pinned, "bytes pinned"), grown(resources.descriptors, "open descriptors")]
            .compactMap { $0 }
    }
}
