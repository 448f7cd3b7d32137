import SystemPackage
import Testing

@testable import IOUring
@testable import WorkerRuntime

@Suite("Patience with what the kernel refuses for the moment") struct RefusalPatienceTests {
    private let start = ContinuousClock.now

    /// Refuses a call so many times in a row, `pause` apart; whether it is given up.
    private func refuse(
        _ patience: inout RefusalPatience, _ errno: Errno, times: Int, pause: Duration = .zero
    ) -> Bool {
        var isOver = false
        for number in 0..<times where patience.isOver(.enter(errno), at: start + pause * number) {
            isOver = true
        }
        return isOver
    }

    /// Ends a poll with an error so many times in a row, `pause` apart; whether it is given up.
    private func endPoll(_ patience: inout RefusalPatience, times: Int, pause: Duration = .zero) -> Bool {
        var isOver = false
        for number in 0..<times where patience.isOverForPolls(at: start + pause * number) { isOver = true }
        return isOver
    }

    private static let limits = [
        (Errno.resourceBusy, RefusalPatience.refusalLimit),
        (.interrupted, RefusalPatience.interruptionLimit),
    ]

    @Test("is over at the first refusal above the limit, and not before", arguments: limits)
    func refusals(errno: Errno, limit: Int) {
        var patience = RefusalPatience()
        let before = refuse(&patience, errno, times: limit)
        let after = refuse(&patience, errno, times: 1)
        #expect(!before && after)
    }

    @Test("is new after a call that succeeds", arguments: limits)
    func success(errno: Errno, limit: Int) {
        var patience = RefusalPatience()
        for _ in 0..<3 {
            let isOver = refuse(&patience, errno, times: limit)
            #expect(!isOver)
            patience.callSucceeded()
        }
    }

    @Test("has no end with signals that somebody may send, more than a second apart")
    func slowInterruptions() {
        var patience = RefusalPatience()
        let times = 3 * RefusalPatience.interruptionLimit
        let isOver = refuse(&patience, .interrupted, times: times, pause: .milliseconds(1001))
        #expect(!isOver)
    }

    @Test("is over at the first poll above the limit that failed, and not before")
    func polls() {
        var patience = RefusalPatience()
        let before = endPoll(&patience, times: RefusalPatience.failedPollLimit)
        let after = endPoll(&patience, times: 1)
        #expect(!before && after)
    }

    @Test("is new after a poll that ends as it should")
    func pollThatSucceeds() {
        var patience = RefusalPatience()
        for _ in 0..<3 {
            let isOver = endPoll(&patience, times: RefusalPatience.failedPollLimit)
            #expect(!isOver)
            patience.pollSucceeded()
        }
    }

    @Test("has no end with polls that fail more than a second apart")
    func slowPolls() {
        var patience = RefusalPatience()
        let times = 3 * RefusalPatience.failedPollLimit
        let isOver = endPoll(&patience, times: times, pause: .milliseconds(1001))
        #expect(!isOver)
    }
}
