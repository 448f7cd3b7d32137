internal import GuestMemory

/// The raw data: one line for each cycle that was measured whole, in the order in which they ran.
package enum CycleCSV {
    package static func text(_ outcome: CycleOutcome) -> String {
        var lines = ["strategy,device,memory_bytes,page_kind,pinned,contiguous_runs,cycle,microseconds"]
        for series in outcome.series {
            let setup = series.setup
            let device = setup.device.contains(",") ? "\"\(setup.device)\"" : setup.device
            let runs = setup.contiguousRuns.map { "\($0)" } ?? ""
            let head =
                "\(series.strategy.rawValue),\(device),\(setup.memory.rawValue),\(setup.pages.rawValue),"
                + "\(setup.isPinned),\(runs)"
            for (index, value) in series.cycles.values.enumerated() {
                lines.append("\(head),\(index),\(Double(value) / 1000)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
