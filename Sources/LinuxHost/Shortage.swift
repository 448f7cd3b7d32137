package import SystemPackage

/// What a process was short of when the kernel refused it a descriptor, memory or a thread.
package enum Shortage {
    /// The words that go after the errno: what there is none of, and what to do. `nil` where the errno tells of no shortage.
    package static func advice(_ errno: Errno) -> String? {
        switch errno {
        case .tooManyOpenFiles: "this process has all the descriptors it may have; raise 'ulimit -n'"
        case .tooManyOpenFilesInSystem: "the machine has no more descriptors; raise fs.file-max"
        case .noMemory: "there is not enough memory, or 'ulimit -v' is too low; free some or raise it"
        case .resourceTemporarilyUnavailable:
            "this user or control group has all the processes it may have, or memory is short; raise 'ulimit -u' or pids.max"
        default: nil
        }
    }

    /// The errno and, where it tells of a shortage, the advice.
    package static func words(_ errno: Errno) -> String {
        advice(errno).map { "\(errno): \($0)" } ?? "\(errno)"
    }
}
