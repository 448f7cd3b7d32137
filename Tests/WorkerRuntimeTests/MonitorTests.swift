import TestSupport
import Testing
import WorkerRuntime

@Suite("A value whose changes threads wait for") struct MonitorTests {
    @Test("wakes who waits for it when it is what they wait for")
    func woken() throws {
        let monitor = Monitor(0)
        let thread = try TestThread { for _ in 0..<3 { monitor.change { $0 += 1 } } }
        #expect(monitor.wait(for: { $0 == 3 ? $0 : nil }) == 3)
        thread.wait()
    }

    @Test("wakes who sleeps already")
    func asleep() throws {
        let (monitor, isLookedAt) = (Monitor(0), Monitor(false))
        // The change waits for the lock that the look has, until the other one sleeps.
        let thread = try TestThread {
            _ = isLookedAt.wait(for: { $0 ? true : nil })
            monitor.change { $0 = 1 }
        }
        let value = monitor.wait(for: { value -> Int? in
            isLookedAt.change { $0 = true }
            return value == 1 ? value : nil
        })
        #expect(value == 1)
        thread.wait()
    }

    @Test("is waited for no longer than somebody has patience")
    func impatient() {
        let monitor = Monitor(0)
        #expect(monitor.wait(atMost: .milliseconds(1), for: { $0 == 1 ? $0 : nil }) == nil)
        #expect(monitor.wait(atMost: .zero, for: { $0 }) == 0)
    }
}
