internal import Synchronization
internal import SystemPackage

/// The first thing that this process could not do for a simulated kernel: a system call of the simulation's own that was
/// refused, where a kernel makes none.
///
/// The caller gets an errno as a kernel gives one, EFAULT often, and would take it for the device's answer. Whoever judges
/// a device asks here whether the simulation could answer at all. One for the process; any thread.
package enum SimulationFailure {
    private static let first = Mutex<String?>(nil)
    private static let shortages: [Errno] = [.tooManyOpenFiles, .tooManyOpenFilesInSystem]

    /// What could not be done and why, or `nil` where nothing has failed.
    package static var description: String? { first.withLock { $0 } }

    /// Notes that `call` was refused with `errno`, and returns the errno. A shortage of descriptors is not noted:
    /// whoever shares it is told so by the errno itself. Nor is it that another process, whose call this was, has ended.
    static func note(_ call: StaticString, _ errno: Errno, mayHaveEnded: Bool = false) -> Errno {
        guard !shortages.contains(errno) else { return errno }
        if mayHaveEnded, errno == .noSuchProcess || errno == .noSuchFileOrDirectory { return errno }
        first.withLock { first in
            if first == nil { first = "the simulation's own \(call) was refused: \(errno)" }
        }
        return errno
    }
}
