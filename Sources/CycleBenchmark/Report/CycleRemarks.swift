internal import GuestMemory

/// What a reader has to know before trusting a time.
enum CycleRemarks {
    /// In words, size after size.
    static func of(_ results: [CycleReport.Result], _ loads: [MachineLoad]) -> [String] {
        let modelled = results.filter(\.modelled).map(\.memoryBytes).uniqued.map { bytes in
            "\(FigureText.memory(bytes)): modelled: this memory is mapped and never touched, as the machine does not have"
                + " it; a real device would pin it and take longer"
        }
        let sizes = results.map(\.memoryBytes).uniqued
        return modelled + loads.filter(\.isBusy).map(text)
            + sizes.compactMap { size in twoKinds(results.filter { $0.memoryBytes == size }) }
    }

    /// One word for each that concerns a series, for a column of raw data.
    static func words(_ series: CycleSeries, _ load: MachineLoad?) -> String {
        var words: [String] = []
        if load?.isBusy == true { words.append("busy") }
        if TwoModes(series.cycles) != nil { words.append("two-kinds") }
        if !series.cycles.isComplete { words.append("sampled") }
        return words.joined(separator: " ")
    }

    private static func text(_ load: MachineLoad) -> String {
        let processors = "\(load.processors) processor\(load.processors == 1 ? "" : "s")"
        let others =
            load.otherProcessors.map { "others took \(FigureText.short($0)) of \(processors)" }
            ?? "load average \(FigureText.short(load.loadAverage)) on \(processors)"
        return
            "\(FigureText.memory(load.memoryBytes)): the machine was busy: \(others); times are too long by"
            + " an unknown part: measure again on an idle machine"
    }

    /// One line for a size: which of its results are of two kinds.
    private static func twoKinds(_ results: [CycleReport.Result]) -> String? {
        let parts = results.flatMap { result in
            [(result.cycle, ""), (result.downtime, " under traffic")].compactMap { times, place -> String? in
                guard let modes = times?.modes else { return nil }
                return "\(result.strategy.rawValue)\(place) \(share(1 - modes.slowShare)) around"
                    + " \(FigureText.time(modes.quick)) and \(share(modes.slowShare)) around"
                    + " \(FigureText.time(modes.slow))"
            }
        }
        guard let first = results.first, !parts.isEmpty else { return nil }
        return "\(FigureText.memory(first.memoryBytes)): times of two kinds, of which a median tells one:"
            + " \(parts.joined(separator: "; "))"
    }

    private static func share(_ part: Double) -> String { "\(Int((part * 100).rounded())) %" }
}

extension Sequence where Element: Hashable {
    /// Each element once, where it comes first.
    fileprivate var uniqued: [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
