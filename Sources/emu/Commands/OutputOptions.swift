public import ArgumentParser
public import Logging

/// What every command takes: how much it says and to whom.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print one JSON object to standard output; what people read goes to standard error.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "What to log to standard error: info shows what was negotiated, debug every device call.",
            valueName: "level"))
    var logLevel: Logger.Level = .warning

    /// The commands' one logger, which writes to standard error around a live line.
    func makeLogger() -> Logger {
        var logger = Logger(label: "emu") { ConsoleLogHandler(label: $0) }
        logger.logLevel = logLevel
        return logger
    }

    /// Prints what people read: to standard output, or to standard error where that is JSON's.
    func print(_ text: String) {
        if json { Console.shared.present(text) } else { Console.output(text) }
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
