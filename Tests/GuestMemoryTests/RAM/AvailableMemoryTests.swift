import Testing

@testable import GuestMemory

struct AvailableMemoryTests {
    private static let meminfo = "MemTotal:  64000 kB\nMemAvailable:  1024 kB\nMemFree: 10 kB\n"

    private func available(_ files: [String: String]) -> String? {
        AvailableMemory { files[$0] }.available().map { "\($0.bytes) \($0.source)" }
    }

    @Test("Without a cgroup limit the machine's MemAvailable counts")
    func machine() {
        let name = "MemAvailable of /proc/meminfo"
        #expect(available(["/proc/meminfo": Self.meminfo]) == "1M \(name)")
        #expect(
            available([
                "/proc/meminfo": Self.meminfo, "/proc/self/cgroup": "0::/a\n",
                "/sys/fs/cgroup/a/memory.max": "max\n",
                "/sys/fs/cgroup/a/memory.current": "500\n",
            ]) == "1M \(name)"
        )
    }

    @Test("The tightest cgroup up to the root counts, its droppable cache as free", arguments: ["a/b", "a"])
    func version2(limited: String) {
        let folder = "/sys/fs/cgroup/\(limited)"
        #expect(
            available([
                "/proc/meminfo": Self.meminfo, "/proc/self/cgroup": "0::/a/b\n",
                "\(folder)/memory.max": "65536\n", "\(folder)/memory.current": "40960\n",
                "\(folder)/memory.stat": "anon 1\ninactive_file 8192\nactive_file 9\n",
            ]) == "32K \(folder)/memory.max"
        )
    }

    @Test("A version 1 memory controller counts too, and a cgroup over its limit has nothing")
    func version1() {
        let folder = "/sys/fs/cgroup/memory/x"
        #expect(
            available([
                "/proc/meminfo": Self.meminfo, "/proc/self/cgroup": "3:cpu:/y\n4:memory:/x\n0::/\n",
                "\(folder)/memory.limit_in_bytes": "4096\n", "\(folder)/memory.usage_in_bytes": "9999\n",
            ]) == "0 \(folder)/memory.limit_in_bytes"
        )
    }

    @Test("Without meminfo, as in a /proc of processes alone, what the machine has counts")
    func withoutMeminfo() {
        let installed = AvailableMemory(installed: ByteCount(rawValue: 1 << 30)) { _ in nil }
        #expect(installed.available().map { "\($0.bytes) \($0.source)" }?.hasPrefix("1G sysinfo(2)") == true)
        let both = AvailableMemory(installed: ByteCount(rawValue: 1 << 30)) {
            $0 == "/proc/meminfo" ? Self.meminfo : nil
        }
        #expect(both.available()?.bytes == ByteCount(rawValue: 1 << 20))
        #expect((AvailableMemory.current.installed?.rawValue ?? 0) > 1 << 26)
    }

    @Test("Where the kernel tells nothing there is no limit")
    func nothing() {
        #expect(available([:]) == nil)
        #expect(available(["/proc/meminfo": "MemTotal: 1 kB\n"]) == nil)
    }

    @Test("This machine tells its own memory")
    func here() throws {
        let memory = try #require(AvailableMemory.current.available())
        #expect(memory.bytes > .zero)
    }
}
