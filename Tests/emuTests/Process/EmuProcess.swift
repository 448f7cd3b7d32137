import Foundation
import Testing

/// The built `emu`, run as a user would.
struct EmuProcess {
    /// What a process left behind.
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    /// The executable, which SwiftPM builds into the directory of the test bundle.
    static let executable = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "emu")

    private let process = Process()
    private let output = Pipe()
    private let errors = Pipe()

    /// Starts `emu`.
    init(_ arguments: [String]) throws {
        process.executableURL = Self.executable
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    /// Sends a signal.
    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Reads standard error up to `words`, which must come.
    func waitForError(_ words: String) throws {
        var seen = ""
        while !seen.contains(words) {
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
            errors: String(decoding: errorData, as: UTF8.self))
    }

    /// Runs `emu` from begin to end.
    static func run(_ arguments: String...) throws -> Outcome { try EmuProcess(arguments).finish() }
}
