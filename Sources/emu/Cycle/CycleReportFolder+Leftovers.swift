internal import Glibc
internal import LinuxHost
internal import SystemPackage

extension CycleReportFolder {
    /// Where a file stands until it is whole: a name that no other process of this machine uses.
    func aside(_ name: String) -> FilePath { path.appending(".\(name).\(getpid())") }

    /// Removes what processes left aside that were ended while they wrote: under the number of no process, or of this
    /// one, which has written nothing yet. What cannot be listed or removed does no harm.
    func removeLeftovers() {
        guard let names = try? FolderListing.names(path) else { return }
        for name in names where Self.isLeftover(name) { _ = unsafe unlink(path.appending(name).string) }
    }

    private static func isLeftover(_ file: String) -> Bool {
        for name in names + [probeName] where file.hasPrefix(".\(name).") {
            let digits = String(file.dropFirst(name.count + 2))
            guard let process = pid_t(digits), process > 0, "\(process)" == digits else { continue }
            return process == getpid() || (kill(process, 0) != 0 && errno == ESRCH)
        }
        return false
    }
}
