internal import Glibc
internal import LinuxHost
internal import SystemPackage

/// The machine that a benchmark ran on, for its report.
package struct HostFacts: Codable, Hashable, Sendable {
    /// `Linux 6.12.…`.
    package let kernel: String
    /// The processor's own name.
    package let processor: String
    package let processors: Int
    package let memoryBytes: UInt64
    /// What the kernel reads time from.
    package let clockSource: String

    /// This machine.
    package static var current: HostFacts {
        let processors = KernelText.of("/proc/cpuinfo") ?? ""
        return HostFacts(
            kernel: "Linux " + (KernelText.of("/proc/sys/kernel/osrelease") ?? "?"),
            processor: KernelText.field("model name", in: processors) ?? "unknown",
            processors: max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))),
            memoryBytes: (KernelText.number("MemTotal", in: KernelText.of("/proc/meminfo") ?? "") ?? 0) << 10,
            clockSource: KernelText.of("/sys/devices/system/clocksource/clocksource0/current_clocksource")
                ?? "unknown")
    }
}
