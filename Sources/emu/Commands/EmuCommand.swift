internal import ArgumentParser

/// A command with a say in the exit status.
protocol EmuCommand: ParsableCommand {
    /// Runs the command. A ``StartError`` means that nothing ran.
    func execute() throws(StartError) -> ExitStatus
}
