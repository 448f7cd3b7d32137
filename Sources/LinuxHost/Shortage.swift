package import SystemPackage

/// What a process was short of when the kernel refused it a descriptor, memory or a thread.
package enum Shortage {
    /// The words that go after the errno: what there is none of, and what to do. `nil` where the errno tells of no shortage.
    package static func advice(_ errno: Errno) -> String? { advice(errno, limits: MemoryLimit.all) }

    /// The same in a process with these limits of memory, which are named where they may be the reason.
    static func advice(_ errno: Errno, limits: [MemoryLimit]) -> String? {
        let limits = limits.map(\.words)
        switch errno {
        case .tooManyOpenFiles: return "this process has all the descriptors it may have; raise 'ulimit -n'"
        case .tooManyOpenFilesInSystem: return "the machine has no more descriptors; raise fs.file-max"
        case .noMemory where limits.isEmpty: return "there is not enough memory; free some"
        case .noMemory:
            return
                "there is not enough memory, or \(limits.joined(separator: " or ")) is too low; free some or raise it"
        case .resourceTemporarilyUnavailable:
            // A thread whose stack has no room is refused with it as well (pthread_create(3)).
            let remedies = ["'ulimit -u'", "pids.max"] + limits
            return "this user or control group has all the processes it may have, or memory is short; raise "
                + remedies.dropLast().joined(separator: ", ") + " or \(remedies[remedies.count - 1])"
        default: return nil
        }
    }

    /// The errno and, where it tells of a shortage, the advice.
    package static func words(_ errno: Errno) -> String {
        advice(errno).map { "\(errno): \($0)" } ?? "\(errno)"
    }
}
