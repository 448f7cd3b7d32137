extension RunReport {
    /// The exit status that the report calls for.
    var status: ExitStatus { problems.isEmpty ? .done : .foundSomethingWrong }

    /// Whether what is sent comes back, so that a run without a returned frame shows nothing.
    private var expectsTraffic: Bool {
        setup.guest == "generator" && (setup.wire == nil || setup.wire == "loopback")
    }

    /// What is wrong with these numbers, the gravest first.
    func findProblems() -> [String] {
        let counts: [(count: UInt64, words: String)] = [
            (UInt64(faults), "DMA faults: the device touched memory that was not mapped for it"),
            (packets.corrupted, "packets corrupted"),
            (packets.lost, "packets lost"),
            (packets.duplicated, "packets duplicated"),
            (unsent, "packets received that nobody sent"),
            (deviceErrors, "broken chains, rings or ports on the device's side"),
            (driverErrors, "broken chains, rings or ports on the driver's side"),
            (UInt64(recoveries), "times the device asked for a reset"),
        ]
        var problems = counts.filter { $0.count > 0 }.map { "\(NumberText.grouped($0.count)) \($0.words)" }
        if expectsTraffic, packets.received == 0, !interrupted { problems.append("not one packet came back") }
        return problems + leaks
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
