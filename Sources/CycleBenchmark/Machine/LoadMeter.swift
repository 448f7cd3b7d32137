internal import Glibc
internal import GuestMemory
internal import LinuxHost
internal import SystemPackage

/// Takes the machine's load over a while. Control thread.
struct LoadMeter {
    /// The time below which the kernel's account of processor time, in ticks of 10 ms, says nothing.
    private static let leastNanoseconds: UInt64 = 200_000_000

    /// The processors that the benchmark may run on; what others do elsewhere takes it nothing. `nil` for all there are.
    private let allowed: Set<Int>?
    private let time = PhaseTimer.now()
    private let machine: UInt64?
    private let process = PhaseTimer.processNow()
    private let preemptions = Self.preemptions()

    init() {
        allowed = AllowedProcessors.numbers
        machine = Self.nanoseconds(of: allowed)
    }

    /// The load since the meter was made, for `memory`, with `cycles` done in between.
    func load(_ memory: ByteCount, cycles: Int, loadAverage: Double) -> MachineLoad {
        let elapsed = PhaseTimer.now() - time
        let processors = allowed?.count ?? max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))
        var others: Double?
        if elapsed >= Self.leastNanoseconds, let before = machine,
            let after = Self.nanoseconds(of: allowed)
        {
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

    /// The time that these processors have been busy, the hypervisor's share included: /proc/stat (proc_stat(5)).
    private static func nanoseconds(of processors: Set<Int>?) -> UInt64? {
        KernelText.of("/proc/stat").flatMap { busyTicks(in: $0, of: processors) }
            .map { $0 * (1_000_000_000 / UInt64(max(1, sysconf(CInt(_SC_CLK_TCK))))) }
    }

    /// The busy ticks of these processors, of all where it is `nil`, in the text of /proc/stat; `nil` where one is not in
    /// it.
    static func busyTicks(in text: String, of processors: Set<Int>?) -> UInt64? {
        let names = processors.map { Set($0.map { "cpu\($0)" }) } ?? ["cpu"]
        let lines = text.split(separator: "\n").filter { line in
            names.contains(String(line.prefix { $0 != " " }))
        }
        let ticks = lines.compactMap(busyTicks)
        return ticks.count == names.count ? ticks.reduce(0, +) : nil
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
