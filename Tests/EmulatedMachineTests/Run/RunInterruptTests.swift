import EmulatedMachine
import Testing

/// What a signal finds of a command: preparing, at a step, or ended.
@Suite(.timeLimit(.minutes(15))) struct RunInterruptTests {
    private let interrupt: RunInterrupt

    init() throws { interrupt = try RunInterrupt() }

    /// Raises, and tells whether the process would have been ended.
    private func endsProcess() -> Bool {
        var isEnded = false
        interrupt.raise(orWhilePreparing: { isEnded = true })
        return isEnded
    }

    @Test func `A command that prepares may be ended with the process, and waits for nothing`() {
        #expect(interrupt.step == nil)
        #expect(endsProcess() && interrupt.wasRaised)
    }

    @Test func `A command that measures is asked, and its last step is what it waits for`() {
        interrupt.enter("a rule to end")
        interrupt.enter("a sequence to end")
        #expect(interrupt.step == "a sequence to end")
        #expect(!endsProcess() && interrupt.wasRaised)
    }

    @Test(arguments: [true, false])
    func `A command that has ended waits for nothing, and is not ended again`(hasMeasured: Bool) {
        if hasMeasured { interrupt.enter("a sequence to end") }
        interrupt.leave()
        #expect(interrupt.step == nil)
        #expect(!endsProcess() && interrupt.wasRaised)
    }
}
