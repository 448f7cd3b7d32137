internal import ArgumentParser
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

            Exit status: 0 done; 1 ran and found something wrong; 2 could not start.
            """,
        subcommands: [RunCommand.self, CheckCommand.self, CycleCommand.self, InfoCommand.self]
    )

    /// Parses, runs and exits with an ``ExitStatus``; a command line that cannot be used is status 2.
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        Glibc.exit(run(arguments).rawValue)
    }

    private static func run(_ arguments: [String]) -> ExitStatus {
        do {
            var command = try parseAsRoot(arguments)
            if let command = command as? any EmuCommand { return try command.execute() }
            try command.run()
            return .done
        } catch let error as StartError {
            return fail(error.description, arguments)
        } catch {
            guard exitCode(for: error) != .success else {
                Console.output(fullMessage(for: error))
                return .done
            }
            let name = arguments.first { configuration.subcommandNames.contains($0) }
            let help = (["emu"] + [name].compactMap(\.self) + ["--help"]).joined(separator: " ")
            return fail("\(message(for: error).asOneLine); see '\(help)'", arguments)
        }
    }

    /// Says in one line why nothing ran; a program that asked for JSON gets the same as an object.
    private static func fail(_ reason: String, _ arguments: [String]) -> ExitStatus {
        Console.shared.print("emu: \(reason.asOneLine)")
        if arguments.contains("--json") { Console.output(JSONText.encode(Failure(error: reason.asOneLine))) }
        return .couldNotStart
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
