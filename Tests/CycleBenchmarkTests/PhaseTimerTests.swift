import CLinux
import Testing
import VhostVDPA
import Virtio

@testable import CycleBenchmark

/// A timer and the calls of a cycle, as a device makes them. No time is known, but which of two is longer.
@Suite("The timer of a cycle")
struct PhaseTimerTests {
    private let timer = PhaseTimer()

    private func call(_ request: UInt) {
        timer.willCall(request, 0)
        timer.didCall(request, 0)
    }

    /// Lets twice as much time pass as since `start`, and a millisecond. Returns how much.
    private func outlast(_ start: UInt64) -> UInt64 {
        let begin = PhaseTimer.now()
        while PhaseTimer.now() - begin <= 2 * (begin - start) + 1_000_000 {}
        return PhaseTimer.now() - begin
    }

    @Test("the span is from the first call to the end of the last one that enables a queue")
    func span() throws {
        let before = PhaseTimer.now()
        timer.begin(.span)
        call(clinux_vdpa_suspend)
        let middle = outlast(before)
        call(clinux_vdpa_set_vring_enable)
        let after = PhaseTimer.now()
        _ = outlast(before)
        call(clinux_vdpa_get_status)
        let span = try #require(timer.end().span)
        #expect(span >= middle)
        #expect(span <= after - before)
    }

    @Test("a cycle without a call has none")
    func noCall() {
        timer.begin(.span)
        #expect(timer.end().span == nil)
    }

    @Test("what is done between the device's parts belongs to nothing")
    func driversPart() {
        let before = PhaseTimer.now()
        timer.begin(.whole)
        timer.pause()
        let between = outlast(before)
        timer.resume()
        let timing = timer.end()
        let after = PhaseTimer.now()
        #expect(timing.total <= after - before - between)
        #expect(timing.phases.isEmpty && timing.span == nil)
    }

    @Test("a phase lasts until the next begins, and all of them are the whole")
    func phases() throws {
        let before = PhaseTimer.now()
        timer.begin(.phases)
        call(clinux_vdpa_suspend)
        let suspended = outlast(before)
        call(clinux_vhost_get_vring_base)
        let read = outlast(before)
        call(clinux_vdpa_set_vring_enable)
        let timing = timer.end()
        #expect(try #require(timing.phases[.suspend]) >= suspended)
        #expect(try #require(timing.phases[.baseRead]) >= read)
        #expect(timing.phases[.map] == nil)
        #expect(timing.phases.values.reduce(0, +) == timing.total)
    }

    @Test("a second cycle has nothing of the first")
    func again() {
        let before = PhaseTimer.now()
        timer.begin(.phases)
        call(clinux_vdpa_suspend)
        let first = outlast(before)
        _ = timer.end()
        let begin = PhaseTimer.now()
        timer.begin(.phases)
        call(clinux_vdpa_resume)
        let timing = timer.end()
        #expect(timing.phases[.suspend] == nil)
        #expect(timing.total <= PhaseTimer.now() - begin && first > 0)
    }
}
