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

    @Test("is waited for no longer than somebody has patience")
    func impatient() {
        let monitor = Monitor(0)
        #expect(monitor.wait(atMost: .milliseconds(1), for: { $0 == 1 ? $0 : nil }) == nil)
        #expect(monitor.wait(atMost: .zero, for: { $0 }) == 0)
    }
}
