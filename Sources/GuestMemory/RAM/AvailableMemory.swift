import CLinux
import LinuxHost
import SystemPackage

/// How much memory this process can still fill, from what the kernel says about the machine and its cgroup.
///
/// The answer is a snapshot; other processes move it. It guards against sizes that are plainly too large,
/// where the alternative is the out-of-memory killer.
struct AvailableMemory {
    /// The text of the file at a path, or `nil`: the kernel's files, or a test's.
    let read: (String) -> String?
    /// All the memory of the machine, for a /proc that is mounted without what is no process's (`subset=pid`).
    let installed: ByteCount?

    init(installed: ByteCount? = nil, read: @escaping (String) -> String?) {
        self.read = read
        self.installed = installed
    }

    /// The machine as it is.
    static var current: AvailableMemory {
        let installed = clinux_installed_memory()
        return AvailableMemory(installed: installed > 0 ? ByteCount(rawValue: installed) : nil) {
            KernelText.of(FilePath($0))
        }
    }

    /// The lowest limit that applies, and what sets it; `nil` where the kernel tells nothing.
    ///
    /// `MemAvailable` of /proc/meminfo, or what the machine has where there is no such file, and for each cgroup from this process's own up to the root its limit
    /// less what it uses now, where page cache it could drop counts as free.
    func available() -> (bytes: ByteCount, source: String)? {
        var limits: [(bytes: ByteCount, source: String)] = []
        if let text = read("/proc/meminfo"), let available = KernelText.number("MemAvailable", in: text) {
            limits.append((ByteCount(rawValue: available << 10), "MemAvailable of /proc/meminfo"))
        } else if let installed {
            limits.append((installed, "sysinfo(2), as there is no /proc/meminfo"))
        }
        for line in (read("/proc/self/cgroup") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            if parts[0] == "0" {
                limits += cgroupLimits(
                    mount: "/sys/fs/cgroup", group: parts[2], limit: "memory.max", usage: "memory.current",
                    cache: "inactive_file"
                )
            } else if parts[1].split(separator: ",").contains("memory") {
                limits += cgroupLimits(
                    mount: "/sys/fs/cgroup/memory", group: parts[2], limit: "memory.limit_in_bytes",
                    usage: "memory.usage_in_bytes", cache: "total_inactive_file"
                )
            }
        }
        return limits.min { $0.bytes < $1.bytes }
    }

    private func cgroupLimits(
        mount: String, group: Substring, limit: String, usage: String, cache: String
    ) -> [(bytes: ByteCount, source: String)] {
        var names = group.split(separator: "/")
        var limits: [(bytes: ByteCount, source: String)] = []
        while true {
            let folder = ([mount] + names.map(String.init)).joined(separator: "/")
            if let maximum = number(in: "\(folder)/\(limit)"), let used = number(in: "\(folder)/\(usage)") {
                let droppable = read("\(folder)/memory.stat").flatMap { statistic(cache, in: $0) } ?? 0
                let held = used - min(used, droppable)
                limits.append((ByteCount(rawValue: maximum - min(maximum, held)), "\(folder)/\(limit)"))
            }
            guard names.popLast() != nil else { return limits }
        }
    }

    /// The number a file holds, or `nil` where it is absent or says `max`.
    private func number(in path: String) -> UInt64? {
        read(path).flatMap { UInt64($0.prefix { $0.isNumber }) }
    }

    /// The number behind `name` at the start of a line of a memory.stat.
    private func statistic(_ name: String, in text: String) -> UInt64? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count >= 2, words[0] == name { return UInt64(words[1]) }
        }
        return nil
    }
}
