internal import ArgumentParser
internal import EmulatedMachine

/// A command with a say in the exit status.
protocol EmuCommand: ParsableCommand {
    /// How much it says and to whom.
    var output: OutputOptions { get }

    /// What takes signals on their way to a program that the command runs; `nil` where it runs none.
    var relay: SignalRelay? { get }

    /// Runs the command. A ``StartError`` means that nothing ran.
    ///
    /// Once it has something to lose the command says so with `interrupt.enter(_:)`, polls `interrupt.wasRaised`
    /// and ends with what it has; until then a signal ends the process. A result that cannot be written is not the
    /// command's concern (``Console/output(_:)``).
    func execute(_ interrupt: RunInterrupt) throws(StartError) -> ExitStatus
}

extension EmuCommand {
    var relay: SignalRelay? { nil }
}
