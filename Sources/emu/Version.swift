internal import CProcessStart

/// Which `emu` this is.
enum Version {
    /// Raised with every release.
    static let number = "0.2"

    /// What `--version` prints: the number, and where it was built from as far as that can be known.
    static var text: String { text(commit: unsafe cprocess_commit().map { unsafe String(cString: $0) }) }

    /// The same of a program with `commit` compiled in, which then need not lie in a checkout.
    static func text(commit: String?) -> String {
        let origin = commit.map { "commit \($0)" } ?? BuildCommit.ofThisProgram?.description
        return "emu \(number) (\(build), \(origin ?? "no git checkout known"))"
    }

    private static var build: String {
        #if DEBUG
            "debug build"
        #else
            "release build"
        #endif
    }
}
