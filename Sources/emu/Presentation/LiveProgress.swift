internal import EmulatedMachine
internal import VirtioNet

/// One line about a run, rewritten once a second where somebody watches; what happens meanwhile as a line for good.
final class LiveProgress: RunObserver {
    private let console: Console
    /// What goes before every line: which of several runs it is about.
    private let name: String
    private var last: RunProgress?

    /// Progress of the run called `name`; of the only one, where there is none.
    init(console: Console, name: String? = nil) {
        self.console = console
        self.name = name.map { "\($0): " } ?? ""
    }

    func runDidProgress(_ progress: RunProgress) {
        console.showLive(name + Self.line(progress, since: last))
        last = progress
    }

    func runDidRecover() { console.print("emu: \(name)the device asked for a reset and was started again") }

    func runDidSee(_ refusal: PortRefusal) { console.print("emu: \(name)\(refusal)") }

    func runDidLose(_ port: PortSpecification) {
        console.print(
            "emu: \(name)\(port): its network namespace was deleted; what goes there reaches nobody: make it again and run anew"
        )
    }

    func runDidFail(_ capture: PortCapture) {
        console.print("emu: \(name)\(RunReport.Capture(capture).words)")
    }

    func runDidEndTraffic(outstanding: UInt64) {
        console.showLive("\(name)waiting for \(NumberText.grouped(outstanding)) frames on their way")
    }

    /// Takes the line away.
    func end() { console.showLive("") }

    /// The line: rates since `earlier`, or since the begin.
    static func line(_ progress: RunProgress, since earlier: RunProgress?) -> String {
        let seconds = (progress.elapsed - (earlier?.elapsed ?? .zero)).seconds
        func rate(_ count: UInt64, _ before: UInt64?) -> String {
            guard seconds > 0 else { return "0" }
            return NumberText.scaled(Double(count - min(count, before ?? 0)) / seconds)
        }
        let received = rate(progress.received.packets, earlier?.received.packets)
        let sent = rate(progress.transmitted.packets, earlier?.transmitted.packets)
        return "\(NumberText.short(progress.elapsed.seconds.rounded())) s  "
            + "sent \(sent) packets/s  received \(received) packets/s  "
            + "\(NumberText.grouped(progress.cycles)) cycles  \(NumberText.grouped(progress.faults)) faults"
    }
}
