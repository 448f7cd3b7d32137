internal import CLinux
internal import Glibc
internal import SystemPackage

/// The commit of the checkout that a program was built in.
///
/// Only a package has its commit compiled in (``Version``): a build that does not change a file would keep the commit of
/// an earlier one. A program that lies in the build folder of a checkout was linked when its file was last changed, and
/// git's own log of HEAD says which commit was checked out at that time. A program that has been moved elsewhere has none.
struct BuildCommit: Hashable, Sendable, CustomStringConvertible {
    let hash: String

    var description: String { "commit \(hash.prefix(12)), changes in the checkout not told" }

    /// That of the running program; `nil` where it is not known.
    static var ofThisProgram: BuildCommit? {
        guard let program = resolved("/proc/self/exe") else { return nil }
        return BuildCommit(ofProgramAt: FilePath(program))
    }

    /// That of the program at `path`, an absolute one without links.
    init?(ofProgramAt path: FilePath) {
        guard let checkout = Self.checkout(of: path), let log = Self.log(of: checkout),
            let time = Self.changeTime(path), let hash = Self.head(at: time, in: log)
        else { return nil }
        self.hash = hash
    }

    /// The commit that was checked out at `time`, in seconds since 1970, by git's log of HEAD: lines of the commit
    /// before, the commit after, who, the time, the zone, a tab and what was done, the oldest first (gitglossary).
    static func head(at time: Int, in log: String) -> String? {
        var hash: String?
        for line in log.split(separator: "\n") {
            let fields = line.prefix { $0 != "\t" }.split(separator: " ")
            guard fields.count >= 4, let entry = Int(fields[fields.count - 2]) else { continue }
            if entry > time { break }
            hash = String(fields[1])
        }
        return hash
    }

    /// The folder above SwiftPM's build folder, where the sources of emu are beside it.
    private static func checkout(of program: FilePath) -> FilePath? {
        var folder = program
        while folder.removeLastComponent(), let name = folder.lastComponent {
            guard name.string.hasPrefix(".build") else { continue }
            folder.removeLastComponent()
            return text(of: folder.appending("Package.swift")) == nil ? nil : folder
        }
        return nil
    }

    private static func log(of checkout: FilePath) -> String? {
        if let log = text(of: checkout.appending(".git/logs/HEAD")) { return log }
        // A linked worktree has a file that names its folder (gitrepository-layout).
        guard let link = text(of: checkout.appending(".git")), link.hasPrefix("gitdir: ") else { return nil }
        let folder = FilePath(String(link.dropFirst("gitdir: ".count).prefix { $0 != "\n" }))
        return text(of: checkout.pushing(folder).appending("logs/HEAD"))
    }

    private static func text(of path: FilePath) -> String? {
        guard
            let file = try? FileDescriptor.open(
                path, .readOnly, options: .closeOnExec, retryOnInterrupt: false)
        else { return nil }
        defer { try? file.close() }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            guard
                let count = try? unsafe part.withUnsafeMutableBytes({
                    try unsafe file.read(into: $0, retryOnInterrupt: false)
                })
            else {
                return nil
            }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += part[..<count]
        }
    }

    private static func changeTime(_ path: FilePath) -> Int? {
        let time = unsafe clinux_change_time(path.string)
        return time < 0 ? nil : Int(time)
    }

    private static func resolved(_ path: String) -> String? {
        guard let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }
}
