internal import ArgumentParser
internal import EmulatedMachine
internal import Glibc

/// The command line: `emu run`, `emu check`, `emu cycle`, `emu vduse`, `emu exec`, `emu info` and `emu replay`.
@main
struct Emu: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "emu",
        abstract: "Plays a virtual machine's vhost-vdpa side without a virtual machine.",
        discussion: """
            emu owns guest RAM, runs a guest's virtio-net driver on it and drives a vDPA device through the \
            vhost-vdpa interface: a real /dev/vhost-vdpa-N or a simulated one. Around a stop and start it \
            leaves guest memory mapped only where IOTLB_PERSIST is negotiated.

            Examples:
              emu run                                      a simulated device, stopped and started for 10 s
              emu run --device /dev/vhost-vdpa-0 --memory 1G --cycles 100
              emu check --device sim,kernel=6.1            the kernel's rules, one line each
              emu cycle --memory 256M,1G --report pages    what a stop and start costs
              emu vduse --name vduse0                      a network card that Linux's own driver uses
              emu exec -- ./my-vmm                         a program that finds a simulated /dev/vhost-vdpa-0
              emu info --device /dev/vhost-vdpa-0 --json
              emu replay bug.script --against sim          the same calls on two devices

            Exit status: 0 done; 1 ran and found something wrong, or a result could not be written; 2 could not \
            start; 128 + n ended by signal n before there was a result, or by a second signal.

            Words: cycle, section, abandoned, parent, port, persist, remap, resume and verdict are explained in \
            emu(1) and docs/glossary.md.
            """,
        version: Version.number,
        subcommands: [
            RunCommand.self, CheckCommand.self, CycleCommand.self, VDUSECommand.self, ExecCommand.self,
            InfoCommand.self,
            ReplayCommand.self,
        ]
    )

    /// Parses, runs and exits with an ``ExitStatus``; a command line that cannot be used is status 2.
    static func main() {
        // Before any file is opened and any thread made: both inherit what is settled here.
        ProcessStart.settle()
        let status = run(ProcessStart.arguments)
        Glibc.exit(statusWithResults(status).rawValue)
    }

    private static func run(_ given: [String]) -> ExitStatus {
        let words = CommandWords(commands: configuration.subcommandNames)
        do {
            let arguments = try words.prepared(given)
            var command = try parseAsRoot(arguments)
            if let command = command as? any EmuCommand {
                return execute(command, CommandWords.own(arguments))
            }
            TerminationSignals.unblock()
            try command.run()
            return .done
        } catch {
            // There is only text to print from here on: a signal may end that.
            TerminationSignals.unblock()
            if let text = text(for: error, CommandWords.own(given)) {
                Console.output(text)
                return .done
            }
            return fail(refusal(error, of: words.command(given)), CommandWords.own(given))
        }
    }

    /// What was asked for instead of a command: a help or the version.
    private static func text(for error: any Error, _ arguments: [String]) -> String? {
        guard !(error is StartError), exitCode(for: error) == .success else { return nil }
        return arguments.contains("--version") ? Version.text : fullMessage(for: error)
    }

    /// Why a command line cannot be used, in one line.
    static func refusal(_ error: any Error, of command: String?) -> String {
        if let error = error as? StartError { return error.description.asOneLine }
        let help = (["emu"] + [command].compactMap(\.self) + ["--help"]).joined(separator: " ")
        return "\(message(for: error).asOneLine); see '\(help)'"
    }

    private static func execute(_ command: any EmuCommand, _ arguments: [String]) -> ExitStatus {
        let interrupt: RunInterrupt
        do throws(MachineError) {
            interrupt = try RunInterrupt()
            try TerminationSignals.forward(
                to: interrupt, json: command.output.json, relay: command.relay)
        } catch {
            TerminationSignals.unblock()
            return fail("\(error)", arguments)
        }
        defer { interrupt.leave() }
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
        if arguments.contains("--json") {
            Console.output(JSONText.encode(ErrorReport(error: reason.asOneLine, interrupted: false)))
        }
        return .couldNotStart
    }

    /// The status once it is known whether the results reached their reader.
    private static func statusWithResults(_ status: ExitStatus) -> ExitStatus {
        guard let lost = Console.lostResult, status != .couldNotStart else { return status }
        Console.shared.print("emu: \(lost)")
        return .foundSomethingWrong
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
