internal import CycleBenchmark
internal import GuestMemory

/// A benchmark's results as a table for people.
struct CycleSummary {
    let report: CycleReport

    var text: String {
        var parts = [head]
        if !report.results.isEmpty { parts.append(table) }
        if report.results.contains(where: { $0.downtime != nil }) { parts.append(downtimes) }
        if report.results.contains(where: { $0.phases.values.contains { $0 > 0 } }) { parts.append(phases) }
        if !report.firstMaps.isEmpty { parts.append(firstMaps) }
        if let baseline = report.baseline { parts.append(text(of: baseline)) }
        let notes =
            skips + report.remarks.map { "note: \($0)" } + report.problems.map { "WRONG: \($0)" }
            + (report.interrupted ? ["INTERRUPTED: this is what had been measured"] : [])
        if !notes.isEmpty { parts.append(notes.joined(separator: "\n")) }
        return parts.joined(separator: "\n\n")
    }

    private var head: String {
        let machine = report.machine
        let memory = ByteCount(rawValue: machine.memoryBytes & ~((1 << 20) - 1))
        var lines = [
            "One stop and start, device calls only, queues idle where nothing else is said.",
            "\(machine.kernel), \(machine.processors) × \(machine.processor), \(memory)",
        ]
        if let first = report.results.first {
            lines.append(
                "\(first.device): \(first.pinned ? "pinned" : "not pinned"), \(first.queuePairs) queue pair\(first.queuePairs == 1 ? "" : "s"),"
                    + " \(first.regions) regions")
        }
        return lines.joined(separator: "\n")
    }

    private var table: String {
        let far = CycleTimes.FarthestHead(report.results.map(\.cycle))
        var rows = [
            [
                "MEMORY", "PAGES", "RUNS", "STRATEGY", "P50", "SPREAD", far.rawValue.uppercased(), "CYCLES",
                "× PERSIST", "MAP", "UNMAP", "IOCTLS",
            ]
        ]
        for result in report.results {
            rows.append([
                size(of: result), result.pageKind,
                result.contiguousRuns.map { NumberText.grouped($0) } ?? "-", result.strategy.rawValue,
                NumberText.time(microseconds: result.cycle.p50), result.cycle.spreadText,
                result.cycle.farthestText(below: far), NumberText.grouped(result.cycles),
                ratio(of: result), NumberText.short(result.perCycle.updates),
                NumberText.short(result.perCycle.invalidates), NumberText.short(result.perCycle.ioctls),
            ])
        }
        return TextTable(rows, leading: [1, 3]).text
            + "\nSPREAD: the width of the middle half of the times, as a part of the median"
    }

    /// The size as the command line takes it; a modelled one by that name.
    private func size(of result: CycleReport.Result) -> String {
        "\(ByteCount(rawValue: result.memoryBytes))" + (result.modelled ? " (modelled)" : "")
    }

    /// How often `persist` with the same memory goes into the cycle.
    private func ratio(of result: CycleReport.Result) -> String {
        let persist = report.results.first {
            $0.strategy == .persist && $0.memoryBytes == result.memoryBytes && $0.pageKind == result.pageKind
        }
        guard let persist, persist.cycle.p50 > 0 else { return "-" }
        return NumberText.short(result.cycle.p50 / persist.cycle.p50)
    }

    private var downtimes: String {
        let far = CycleTimes.FarthestHead(report.results.compactMap(\.downtime))
        let head = far.rawValue.uppercased()
        var rows = [["MEMORY", "STRATEGY", "P50", "SPREAD", head, "SUSPEND-ENABLE P50", head, "CYCLES"]]
        for result in report.results {
            guard let downtime = result.downtime, let span = result.suspendToEnable else { continue }
            rows.append([
                size(of: result), result.strategy.rawValue,
                NumberText.time(microseconds: downtime.p50), downtime.spreadText,
                downtime.farthestText(below: far),
                NumberText.time(microseconds: span.p50), span.farthestText(below: far),
                NumberText.grouped(result.downtimeCycles),
            ])
        }
        return
            "Downtime under traffic: last frame before to first frame after; first suspend to last enable:\n"
            + TextTable(rows, leading: [1]).text
    }

    private var firstMaps: String {
        var rows = [["MEMORY", "RUNS", "FIRST MAP", "IO_URING REGISTERS", "RATIO"]]
        for map in report.firstMaps {
            rows.append([
                "\(ByteCount(rawValue: map.memoryBytes))",
                map.contiguousRuns.map { NumberText.grouped($0) } ?? "-",
                NumberText.time(microseconds: map.map),
                map.registerBuffers.map { NumberText.time(microseconds: $0) } ?? "\(map.obstacle ?? "-")",
                map.ratio.map { NumberText.short($0) } ?? "-",
            ])
        }
        return "The first map of all memory beside io_uring_register_buffers of the same memory:\n"
            + TextTable(rows, leading: []).text
    }

    private func text(of baseline: BaselineComparison) -> String {
        let areKnown = baseline.pairs.contains { $0.isApart != nil }
        let head =
            ["MEMORY", "STRATEGY", "BASELINE", "NOW", "NOW/BASELINE"] + (areKnown ? ["MIDDLE HALVES"] : [])
        let rows = baseline.pairs.map { pair in
            let verdict = pair.isApart.map { $0 ? "apart" : "within the spread" } ?? "-"
            return [
                "\(ByteCount(rawValue: pair.memoryBytes))", pair.strategy.rawValue,
                NumberText.time(microseconds: pair.before), NumberText.time(microseconds: pair.now),
                NumberText.short(pair.ratio),
            ] + (areKnown ? [verdict] : [])
        }
        let table =
            rows.isEmpty ? ["nothing that both have"] : [TextTable([head] + rows, leading: [1, 5]).text]
        return (["Beside \(baseline.name):"] + table + baseline.notComparable.map { "not comparable: \($0)" })
            .joined(separator: "\n")
    }

    private var phases: String {
        let names = CyclePhase.allCases
        var rows = [["MEMORY", "STRATEGY"] + names.map { $0.rawValue.uppercased() }]
        for result in report.results {
            rows.append(
                [size(of: result), result.strategy.rawValue]
                    + names.map { name in
                        let time = result.phases[name.rawValue] ?? 0
                        return time == 0 ? "-" : NumberText.time(microseconds: time)
                    })
        }
        return "Where the time goes (medians of cycles measured phase by phase):\n"
            + TextTable(rows, leading: [1]).text
    }

    private var skips: [String] {
        report.skipped.map { skip in
            let size = ByteCount(rawValue: skip.memoryBytes)
            return "skipped: \(size)\(skip.strategy.map { ", \($0.rawValue)" } ?? ""): \(skip.reason)"
        }
    }
}
