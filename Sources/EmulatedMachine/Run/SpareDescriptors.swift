internal import LinuxHost
internal import SystemPackage

/// The descriptors that a run needs for a moment after it has started: a stop and start binds the new eventfds before it
/// lets go of the old ones, and the files of /proc are read. A run that has none left would break off in its middle.
enum SpareDescriptors {
    /// How many a run needs at one time, with some to spare for other threads of the process.
    static let count = 4

    /// Throws unless the process may open ``count`` more. Any thread; as many system calls, and their closes.
    static func require() throws(MachineError) {
        var spares: [SharedEventFD] = []
        do throws(Errno) {
            for _ in 0..<count { spares.append(try SharedEventFD()) }
        } catch {
            throw .unsupported(
                "the run needs \(count) more descriptors than its start, and only \(spares.count) are left: \(error);"
                    + " raise the limit of open files (ulimit -n)")
        }
    }
}
