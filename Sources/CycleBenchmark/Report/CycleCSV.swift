internal import GuestMemory

/// The raw data: one line for each time that was measured, in the order in which cycles ran. `measure` is `cycle` (whole,
/// idle queues), or `downtime` and `suspend_to_enable` of the cycles under traffic.
package enum CycleCSV {
    package static func text(_ outcome: CycleOutcome) -> String {
        var lines = [
            "strategy,device,memory_bytes,page_kind,pinned,contiguous_runs,measure,cycle,microseconds"
        ]
        for series in outcome.series {
            let setup = series.setup
            let device = setup.device.contains(",") ? "\"\(setup.device)\"" : setup.device
            let runs = setup.contiguousRuns.map { "\($0)" } ?? ""
            let head =
                "\(series.strategy.rawValue),\(device),\(setup.memory.rawValue),\(setup.pages.rawValue),"
                + "\(setup.isPinned),\(runs)"
            let measures = [
                ("cycle", series.cycles), ("downtime", series.downtimes), ("suspend_to_enable", series.spans),
            ]
            for (measure, samples) in measures {
                for (index, value) in samples.values.enumerated() {
                    lines.append("\(head),\(measure),\(index),\(Double(value) / 1000)")
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
