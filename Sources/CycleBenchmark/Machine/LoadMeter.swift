internal import Glibc
internal import GuestMemory
internal import LinuxHost
internal import SystemPackage

/// Takes the machine's load over a while. Control thread.
struct LoadMeter {
    /// The time below which the kernel's account of processor time, in ticks of 10 ms, says nothing.
    private static let leastNanoseconds: UInt64 = 200_000_000

    private let time = PhaseTimer.now()
    private let machine = Self.machineNanoseconds()
    private let process = PhaseTimer.processNow()
    private let preemptions = Self.preemptions()

    /// The load since the meter was made, for `memory`, with `cycles` done in between.
    func load(_ memory: ByteCount, cycles: Int, loadAverage: Double, processors: Int) -> MachineLoad {
        let elapsed = PhaseTimer.now() - time
        var others: Double?
        if elapsed >= Self.leastNanoseconds, let before = machine, let after = Self.machineNanoseconds() {
            let own = PhaseTimer.processNow() &- process
            others = max(0, Double(after &- before) - Double(own)) / Double(elapsed)
        }
        return MachineLoad(
            memoryBytes: memory.rawValue, processors: processors, loadAverage: loadAverage,
            otherProcessors: others, preemptions: Self.preemptions() - preemptions, cycles: cycles)
    }

    /// The load average of the last minute; 0 where the kernel does not say.
    static var loadAverage: Double {
        KernelText.of("/proc/loadavg").flatMap { $0.split(separator: " ").first.flatMap { Double($0) } } ?? 0
    }

    /// The time that all processors have been busy, the hypervisor's share included: /proc/stat (proc_stat(5)).
    private static func machineNanoseconds() -> UInt64? {
        guard let text = KernelText.of("/proc/stat"), let line = text.split(separator: "\n").first,
            line.hasPrefix("cpu ")
        else { return nil }
        return busyTicks(line).map { $0 * (1_000_000_000 / UInt64(max(1, sysconf(CInt(_SC_CLK_TCK))))) }
    }

    /// The busy ticks of a `cpu` line: user, nice, system, irq, softirq and steal, but not idle and iowait.
    static func busyTicks(_ line: Substring) -> UInt64? {
        let numbers = line.split(separator: " ").dropFirst().prefix(8).compactMap { UInt64($0) }
        guard numbers.count == 8 else { return nil }
        return numbers[0] + numbers[1] + numbers[2] + numbers[5] + numbers[6] + numbers[7]
    }

    /// How often this thread lost its processor before it gave it up (proc_pid_status(5)).
    private static func preemptions() -> Int {
        let status = KernelText.of("/proc/thread-self/status") ?? ""
        return KernelText.number("nonvoluntary_ctxt_switches", in: status).map { Int(clamping: $0) } ?? 0
    }
}
