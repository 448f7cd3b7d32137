internal import EmulatedMachine

extension RunReport {
    /// From which part of their time on threads that wait for a processor are worth a word.
    static let busyShare = 0.2

    /// What who reads the numbers of `result` should know of how they came about.
    static func remarks(on result: RunResult, queues: Int) -> [String] {
        [busy(result.processorTime?.waitingShare, queues: queues), groups(result.cycles.durations)]
            .compactMap(\.self)
    }

    /// That threads waited for a processor for a part of the time in which they had work, where it is large.
    static func busy(_ waitingShare: Double?, queues: Int) -> String? {
        guard let waitingShare, waitingShare >= busyShare else { return nil }
        return
            "the machine was busy: emu's threads waited for a processor \(Int((waitingShare * 100).rounded())) % of the"
            + " time in which they had work" + (queues > 1 ? "; each of \(queues) queue pairs wants two" : "")
    }

    /// That stops and starts took either a short or a long time.
    static func groups(_ durations: DurationHistogram) -> String? {
        guard let (short, long) = durations.groups else { return nil }
        return "stops and starts took about \(NumberText.time(microseconds: short.microseconds)) or about "
            + "\(NumberText.time(microseconds: long.microseconds)), and nothing in between: the median tells of one only"
    }
}
