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

    @Test("A command that prepares may be ended with the process, and waits for nothing")
    func preparing() {
        #expect(interrupt.step == nil)
        #expect(endsProcess() && interrupt.wasRaised)
    }

    @Test("A command that measures is asked, and its last step is what it waits for")
    func measuring() {
        interrupt.enter("a rule to end")
        interrupt.enter("a sequence to end")
        #expect(interrupt.step == "a sequence to end")
        #expect(!endsProcess() && interrupt.wasRaised)
    }

    @Test("A command that has ended waits for nothing, and is not ended again", arguments: [true, false])
    func ended(hasMeasured: Bool) {
        if hasMeasured { interrupt.enter("a sequence to end") }
        interrupt.leave()
        #expect(interrupt.step == nil)
        #expect(!endsProcess() && interrupt.wasRaised)
    }
}
