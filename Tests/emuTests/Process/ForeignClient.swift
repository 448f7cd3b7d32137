import Foundation
import Testing

@testable import emu

/// The client that Tests/ForeignClient builds beside `emu`: it makes the calls that it is told, one by one.
enum ForeignClient {
    static let path = EmuProcess.executable.deletingLastPathComponent().appending(path: "foreign-client").path

    /// A shell's command in which no signal is blocked: a thread of the test's own may hold back all of them, and `emu exec`
    /// gives the program what it was started with.
    static let unblocked = "exec \(path) unblock run \"$@\""

    /// What a client under `emu exec` has said, a line for each word that answers, without an argument's path.
    struct Answers {
        let lines: [String]
        let status: Int32
        let errors: String

        /// What `word` has answered, each time.
        func of(_ word: String) -> [String] {
            lines.filter { $0.hasPrefix(word + " ") }.map { String($0.dropFirst(word.count + 1)) }
        }
    }

    /// Starts `words` on `device`, which the client finds as /dev/vhost-vdpa-0; by the command of `shell`, in
    /// which `exec "$@"` is `emu`.
    static func start(_ words: String, on device: String = "sim", shell: String = unblocked) throws
        -> EmuProcess
    {
        try EmuProcess(
            shell: shell,
            ["exec", "--device", device, "--", path] + words.split(separator: " ").map(String.init))
    }

    /// Runs `words` on `device`.
    static func run(_ words: String, on device: String = "sim", shell: String = unblocked) throws -> Answers {
        try answers(of: start(words, on: device, shell: shell))
    }

    /// What a client that was started says up to its end.
    static func answers(of process: EmuProcess) -> Answers {
        let outcome = process.finish()
        return Answers(
            lines: outcome.output.split(separator: "\n").map(String.init), status: outcome.status,
            errors: outcome.errors)
    }
}
