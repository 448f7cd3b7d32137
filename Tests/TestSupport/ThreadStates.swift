internal import Foundation

/// What the kernel says of this process's threads. Nothing of the package's own is entered for it, so that a walk can
/// ask.
package enum ThreadStates {
    /// Whether there are threads of this name, and each of them sleeps in a system call (proc_pid_stat(5), state S). No
    /// event says so.
    package static func areAsleep(named name: String) -> Bool {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        let states = threads.compactMap { thread in
            (try? String(contentsOfFile: "/proc/self/task/\(thread)/stat", encoding: .utf8))
                .flatMap { state(in: $0, named: name) }
        }
        return !states.isEmpty && states.allSatisfy { $0 == "S" }
    }

    /// The state behind the name, which may have any character but a NUL in it.
    private static func state(in stat: String, named name: String) -> Character? {
        guard let start = stat.firstIndex(of: "("), let end = stat.lastIndex(of: ")"),
            stat[stat.index(after: start)..<end] == name
        else { return nil }
        return stat[end...].dropFirst(2).first
    }
}
