/// Which `emu` this is.
enum Version {
    /// Raised with every release.
    static let number = "0.2"

    /// What `--version` prints: the number, and where it was built from as far as that can be known.
    static var text: String {
        "emu \(number) (\(build), \(BuildCommit.ofThisProgram?.description ?? "no git checkout known"))"
    }

    private static var build: String {
        #if DEBUG
            "debug build"
        #else
            "release build"
        #endif
    }
}
