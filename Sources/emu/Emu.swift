internal import ArgumentParser
internal import EmulatedMachine
internal import Glibc

/// The command line: `emu run`, `emu check`, `emu cycle` and `emu info`.
@main
struct Emu: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "emu",
        abstract: "Plays a virtual machine's vhost-vdpa side without a virtual machine.",
        discussion: """
            emu owns guest RAM, runs a guest's virtio-net driver on it and drives a vDPA device through the \
            vhost-vdpa interface: a real /dev/vhost-vdpa-N or a simulated one. Around a stop and start it \
            leaves guest memory mapped only where IOTLB_PERSIST is negotiated.

            Exit status: 0 done; 1 ran and found something wrong, or a result could not be written; 2 could not \
            start; 128 + n ended by signal n before there was a result.
            """,
        subcommands: [RunCommand.self, CheckCommand.self, CycleCommand.self, InfoCommand.self]
    )

    /// Parses, runs and exits with an ``ExitStatus``; a command line that cannot be used is status 2.
    static func main() {
        // Before any file is opened and any thread made: both inherit what is settled here.
        ProcessStart.settle()
        let status = run(ProcessStart.arguments)
        Glibc.exit(statusWithResults(status).rawValue)
    }

    private static func run(_ arguments: [String]) -> ExitStatus {
        do {
            var command = try parseAsRoot(arguments)
            if let command = command as? any EmuCommand { return execute(command, arguments) }
            TerminationSignals.unblock()
            try command.run()
            return .done
        } catch {
            // There is only text to print from here on: a signal may end that.
            TerminationSignals.unblock()
            guard exitCode(for: error) != .success else {
                Console.output(fullMessage(for: error))
                return .done
            }
            let name = arguments.first { configuration.subcommandNames.contains($0) }
            let help = (["emu"] + [name].compactMap(\.self) + ["--help"]).joined(separator: " ")
            return fail("\(message(for: error).asOneLine); see '\(help)'", arguments)
        }
    }

    private static func execute(_ command: any EmuCommand, _ arguments: [String]) -> ExitStatus {
        let interrupt: RunInterrupt
        do throws(MachineError) {
            interrupt = try RunInterrupt()
            try TerminationSignals.forward(to: interrupt, json: command.output.json)
        } catch {
            TerminationSignals.unblock()
            return fail("\(error)", arguments)
        }
        do throws(StartError) {
            return try command.execute(interrupt)
        } catch {
            // The reason is the result now: a signal does not end the process before it is told.
            interrupt.enter("standard error to take the reason")
            return fail(error.description, arguments)
        }
    }

    /// Says in one line why nothing ran; a program that asked for JSON gets the same as an object.
    private static func fail(_ reason: String, _ arguments: [String]) -> ExitStatus {
        Console.shared.print("emu: \(reason.asOneLine)")
        if arguments.contains("--json") { Console.output(JSONText.encode(Failure(error: reason.asOneLine))) }
        return .couldNotStart
    }

    /// The status once it is known whether the results reached their reader.
    private static func statusWithResults(_ status: ExitStatus) -> ExitStatus {
        guard let lost = Console.lostResult, status != .couldNotStart else { return status }
        Console.shared.print("emu: \(lost)")
        return .foundSomethingWrong
    }

    private struct Failure: Encodable {
        let error: String
    }
}

extension CommandConfiguration {
    fileprivate var subcommandNames: [String] {
        subcommands.compactMap { $0.configuration.commandName }
    }
}

extension String {
    /// The text with every line break and run of blanks as one space.
    fileprivate var asOneLine: String {
        split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
