internal import GuestMemory

/// The raw data: one line for each time that was kept (``Samples``), in the order in which cycles ran. `measure` is
/// `cycle` (whole, idle queues), or `downtime` and `suspend_to_enable` of the cycles under traffic; `remark` has a
/// word for each thing to know of the series: `busy`, `two-kinds`, `sampled`. Of a series that is `sampled` the lines
/// are a random choice of its times, and `cycle` is empty.
package enum CycleCSV {
    package static func text(_ outcome: CycleOutcome) -> String {
        var lines = [
            "strategy,device,memory_bytes,page_kind,pinned,contiguous_runs,modelled,remark,measure,cycle,microseconds"
        ]
        for series in outcome.series {
            let setup = series.setup
            let runs = setup.contiguousRuns.map { "\($0)" } ?? ""
            let remark = CycleRemarks.words(series, outcome.load(setup.memory.rawValue))
            let head =
                "\(series.strategy.rawValue),\(field(setup.device)),\(setup.memory.rawValue),\(setup.pages.rawValue),"
                + "\(setup.isPinned),\(runs),\(setup.isModelled),\(remark)"
            let measures = [
                ("cycle", series.cycles), ("downtime", series.downtimes), ("suspend_to_enable", series.spans),
            ]
            for (measure, samples) in measures {
                for (index, value) in samples.values.enumerated() {
                    let cycle = samples.isComplete ? "\(index)" : ""
                    lines.append("\(head),\(measure),\(cycle),\(Double(value) / 1000)")
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A field as RFC 4180 has it: in quotes where it has something that means something.
    private static func field(_ text: String) -> String {
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            + "\""
    }
}
