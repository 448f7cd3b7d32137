import EmulatedMachine
import TestSupport
import Testing

@Suite("What threads get of the processors") struct ProcessorTimeTests {
    @Test("is the sum of what the kernel says of each thread")
    func sum() throws {
        let time = try #require(
            ProcessorTime(schedstats: ["1000000 500000 12\n", "3000000 0 1\n", "", "nothing\n", "4 5\n"]))
        #expect(time.running == .nanoseconds(4_000_004))
        #expect(time.waiting == .nanoseconds(500_005))
    }

    @Test("is unknown where the kernel says nothing", arguments: [[], [""], ["- -"], ["1"]])
    func unknown(schedstats: [String]) {
        #expect(ProcessorTime(schedstats: schedstats) == nil)
    }

    @Test(
        "has a share of waiting",
        arguments: [("0 0 0", 0), ("100 0 1", 0), ("75 25 1", 0.25), ("1 99 1", 0.99), ("0 5 1", 1)])
    func share(schedstat: String, expected: Double) throws {
        let time = try #require(ProcessorTime(schedstats: [schedstat]))
        #expect(abs(time.waitingShare - expected) < 1e-9)
    }

    @Test("since an earlier reading is what came since, and nothing below zero where a thread has ended")
    func difference() throws {
        let earlier = try #require(ProcessorTime(schedstats: ["100 50 1", "1000 1 1"]))
        let later = try #require(ProcessorTime(schedstats: ["150 250 1"]))
        #expect((later - earlier).running == .zero)
        #expect((later - earlier).waiting == .nanoseconds(199))
    }

    @Test("of this process grows")
    func current() throws {
        let first = try #require(ProcessorTime.current())
        #expect(first.running > .zero)
        // A thread of another test's that ends between two readings takes its time with it.
        #expect(
            eventually {
                guard let one = ProcessorTime.current(), let other = ProcessorTime.current() else {
                    return false
                }
                return other.running > one.running
            })
    }
}
