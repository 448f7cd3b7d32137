/// What `emu` tells its caller, as every command uses it.
enum ExitStatus: Int32, Sendable {
    /// Done, and nothing was wrong.
    case done = 0
    /// It ran and found something wrong: a packet lost, a rule broken, a fault.
    case foundSomethingWrong = 1
    /// It could not start. One line on standard error says what, why and what to do.
    case couldNotStart = 2
}
