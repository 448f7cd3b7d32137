internal import GuestMemory

/// A run's report as people read it.
struct RunSummary {
    private let report: RunReport
    private let isLost: Bool

    /// The summary of `report`, whose JSON object could not be written where `isLost`.
    init(_ report: RunReport, isLost: Bool = false) {
        self.report = report
        self.isLost = isLost
    }

    /// The summary, without a line break at its end.
    var text: String {
        let width = lines.map(\.label.count).max() ?? 0
        let table = lines.map { line in
            "  \(line.label)\(String(repeating: " ", count: width - line.label.count))  \(line.value)"
        }
        return (["emu run: \(Self.title(report))", ""] + table + ["", conclusion]).joined(separator: "\n")
    }

    /// What ran, in a line.
    static func title(_ report: RunReport) -> String {
        let setup = report.setup
        let ends = "\(setup.guest) -> device" + (setup.wire.map { " -> \($0)" } ?? "")
        return "\(report.device), \(ByteCount(rawValue: report.memoryBytes)) of guest RAM in "
            + "\(setup.sections) sections, \(ends)"
    }

    /// The report's own, which is nothing to rely on where nobody gets the report.
    private var conclusion: String {
        isLost ? "WRONG: the result is lost; it was \(report.conclusion)" : report.conclusion
    }

    private typealias Line = (label: String, value: String)

    private var lines: [Line] {
        let packets = report.packets
        var lines: [Line] = [
            ("IOTLB_PERSIST", persist),
            ("device features", report.setup.features),
            ("backend features", report.setup.backendFeatures),
            ("packets", "\(grouped(packets.sent)) sent, \(grouped(packets.received)) received"),
            (
                "",
                "\(grouped(packets.lost)) lost, \(grouped(packets.duplicated)) duplicated, "
                    + "\(grouped(packets.corrupted)) corrupted, \(grouped(packets.abandoned)) abandoned, "
                    + "\(grouped(packets.deviceDrops)) dropped by the device"
            ),
        ]
        lines += QueueLines(report.accounts).lines
        lines += report.captures.map { ("capture", $0.words) }
        lines += [
            ("throughput", throughput),
            ("stop and start", cycles),
            (
                "IOTLB messages",
                "\(grouped(report.iotlb.updates)) updates, \(grouped(report.iotlb.invalidates)) invalidates in "
                    + "\(grouped(report.iotlb.batches)) \(report.iotlb.batches == 1 ? "batch" : "batches"), the first map included"
            ),
            (
                "  per cycle",
                report.cycles == 0
                    ? "-"
                    : "\(NumberText.short(report.iotlb.perCycle.updates)) updates, "
                        + "\(NumberText.short(report.iotlb.perCycle.invalidates)) invalidates"
            ),
            ("faults", report.faults == 0 ? "none" : grouped(report.faults)),
        ]
        lines += report.recentFaults.prefix(Self.shownFaults).map { fault in
            ("", "\(fault.access) at \(fault.address)" + (fault.count > 1 ? ", \(fault.count) times" : ""))
        }
        let hidden = report.recentFaults.count - Self.shownFaults
        if hidden > 0 { lines.append(("", "and at \(hidden) more addresses")) }
        return lines + report.remarks.map { ("remark", $0) }
    }

    /// How many addresses of faults are shown.
    static let shownFaults = 8

    private var persist: String {
        switch (report.persist.offered, report.persist.acknowledged, report.setup.persistPolicy) {
        case (_, true, _): "acknowledged: guest memory stays mapped across a stop and start"
        case (_, false, "force"):
            "not acknowledged, and the maps are left alone all the same (--persist force)"
        case (true, false, _): "offered, not acknowledged: every stop unmaps, every start maps again"
        case (false, false, _): "not offered: every stop unmaps, every start maps again"
        }
    }

    private var throughput: String {
        "\(NumberText.scaled(report.throughput)) packets/s over \(time(report.trafficTime)), stops included (running time "
            + "\(time(report.runningTime)), wall time \(time(report.wallTime)))"
    }

    private var cycles: String {
        guard let times = report.cycleTime else { return "none" }
        let longest = times.p99.map { "p99 \(time($0)), " } ?? ""
        return
            "\(grouped(report.cycles)) \(report.cycles == 1 ? "cycle" : "cycles"), p50 \(time(times.p50)), "
            + "\(longest)max \(time(times.max))"
    }

    private func time(_ microseconds: Double) -> String { NumberText.time(microseconds: microseconds) }

    private func grouped(_ number: some BinaryInteger) -> String { NumberText.grouped(number) }
}
