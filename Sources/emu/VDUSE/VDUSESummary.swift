/// The end of `emu vduse` as people read it.
struct VDUSESummary {
    private let report: VDUSEReport

    init(_ report: VDUSEReport) { self.report = report }

    /// The summary, without a line break at its end.
    var text: String {
        let starts = report.starts == 1 ? "started once" : "started \(report.starts) times"
        let head = "emu vduse: \(report.name) on \(report.wire), \(starts) by its driver"
        return ([head] + report.queues.map(line) + [ending] + report.problems.map { "WRONG: \($0)" })
            .joined(separator: "\n")
    }

    private func line(_ queue: VDUSEReport.Queue) -> String {
        var words = [
            "\(NumberText.grouped(queue.entered)) in, \(NumberText.grouped(queue.left)) out",
            "\(NumberText.grouped(queue.kicks)) kicks, \(NumberText.grouped(queue.interrupts)) interrupts",
        ]
        for (count, name) in [(queue.dropped, "dropped"), (queue.errors, "errors"), (queue.faults, "faults")]
        where count > 0 {
            words.append("\(NumberText.grouped(count)) \(name)")
        }
        return "  queue \(queue.queue), \(queue.direction)  \(words.joined(separator: "; "))"
    }

    private var ending: String {
        switch report.outcome {
        case .removed: "  \(report.name) is removed"
        case .gone: "  \(report.name) is gone"
        case .attached:
            "  \(report.name) stays, as it is attached: 'emu vduse --name \(report.name)' goes on with it; to be rid of it,"
                + " 'vdpa dev del \(report.name)' while emu serves it"
        }
    }
}
