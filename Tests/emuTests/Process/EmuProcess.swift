import Foundation
import Testing

@testable import emu

/// The built `emu`, run as a user would.
struct EmuProcess {
    /// What a process left behind.
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String

        /// Standard error, line by line.
        var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

        /// Standard output as the one object that a command with `--json` prints, held to its schema.
        func result<Report: JSONResult & Decodable>(_ type: Report.Type) throws -> Report {
            try #require(!output.isEmpty, "no result: \(errors)")
            return try type.read(output)
        }
    }

    /// The executable, which SwiftPM builds into the directory of the test bundle.
    static let executable = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "emu")

    private let process = Process()
    private let output = Pipe()
    private let errors = Pipe()

    /// Starts `emu`.
    init(_ arguments: [String]) throws {
        try self.init(executable: Self.executable, arguments)
    }

    /// Starts `emu` from a shell's command: `exec "$@"` is emu with its arguments, to which redirections and
    /// limits are added.
    init(shell command: String, _ arguments: [String]) throws {
        try self.init(
            executable: URL(filePath: "/bin/bash"), ["-c", command, "bash", Self.executable.path] + arguments)
    }

    private init(executable: URL, _ arguments: [String]) throws {
        process.executableURL = executable
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    /// The process's number.
    var identifier: Int32 { process.processIdentifier }

    /// Sends a signal.
    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Lowers the process's limit of descriptors to what it has open at the least.
    func allowNoMoreDescriptors() throws {
        let limit = try Process.run(
            URL(filePath: "/usr/bin/prlimit"),
            arguments: ["--pid", "\(process.processIdentifier)", "--nofile=3:3"])
        limit.waitUntilExit()
        try #require(limit.terminationStatus == 0)
    }

    /// Reads standard error up to `words`, which must come, so many times.
    func waitForError(_ words: String, times: Int = 1) throws {
        var seen = ""
        while seen.ranges(of: words).count < times {
            let data = errors.fileHandleForReading.availableData
            try #require(!data.isEmpty, "emu ended without '\(words)': \(seen)")
            seen += String(decoding: data, as: UTF8.self)
        }
    }

    /// Reads everything and waits for the end. Little goes to standard error, so no pipe fills up meanwhile.
    func finish() -> Outcome {
        let outputData = output.fileHandleForReading.readDataToEndOfFile()
        let errorData = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: String(decoding: outputData, as: UTF8.self),
            // What a build for coverage says where emu's limits keep it from its own file is not emu's.
            errors: String(decoding: errorData, as: UTF8.self).split(
                separator: "\n", omittingEmptySubsequences: false
            )
            .filter { !$0.hasPrefix("LLVM Profile Error") }.joined(separator: "\n"))
    }

    /// Runs `emu` from begin to end.
    static func run(_ arguments: String...) throws -> Outcome { try EmuProcess(arguments).finish() }

    /// Runs `emu` from a shell's command, from begin to end.
    static func run(shell command: String, _ arguments: [String]) throws -> Outcome {
        try EmuProcess(shell: command, arguments).finish()
    }
}
