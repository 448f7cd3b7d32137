import Foundation
import SystemPackage
import Testing

@testable import emu

@Suite(.timeLimit(.minutes(15))) struct VersionTests {
    static let log = """
        0000 aaaa A Name <a@b.example> 1000 +0100\tclone: from somewhere
        aaaa bbbb A Name <a@b.example> 2000 +0100\tcommit: one
        bbbb cccc A <x> 3000 -0500\tcommit: two 99 +0000
        """

    @Test(
        "The commit is the one that was checked out when the program was linked",
        arguments: [(999, nil), (1000, "aaaa"), (2500, "bbbb"), (9999, "cccc")] as [(Int, String?)])
    func commit(time: Int, hash: String?) {
        #expect(BuildCommit.head(at: time, in: Self.log) == hash)
    }

    @Test("A program outside of a checkout's build folder has no commit")
    func outsideCheckout() {
        #expect(BuildCommit(ofProgramAt: "/bin/sh") == nil)
    }

    @Test("A commit that is compiled in is the one, wherever the program lies")
    func compiledIn() {
        let text = Version.text(commit: "0123456789ab-dirty")
        #expect(text == "emu \(Version.number) (debug build, commit 0123456789ab-dirty)")
        #expect(Version.text(commit: nil) != text)
    }

    @Test("--version says which emu it is", arguments: [["--version"], ["run", "--version"]])
    func versionOption(arguments: [String]) throws {
        let outcome = try EmuProcess(arguments).finish()
        #expect(outcome.status == 0)
        #expect(outcome.output.hasPrefix("emu \(Version.number) ("))
        #expect(outcome.output.split(separator: "\n").count == 1)
        #expect(outcome.errors == "")
    }
}
