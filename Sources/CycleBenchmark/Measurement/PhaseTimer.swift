internal import CLinux
internal import Glibc
package import VhostVDPA
internal import Virtio

/// Takes the time of a cycle, and of its parts as the device's calls go by.
///
/// Nothing watches the calls of a whole cycle: its time is what its caller's device parts take. For phases the clock
/// is read where a phase begins, not at every call; what the caller computes between two calls of a phase belongs to
/// that phase. Control thread.
package final class PhaseTimer: DeviceCallObserver {
    /// What is wanted of a cycle.
    package enum Detail: Hashable, Sendable {
        /// Its whole time.
        case whole
        /// The time of each phase.
        case phases
        /// From its first call to the end of the last one that enables a queue, with everything between.
        case span
    }

    private var detail = Detail.whole
    private var phase = CyclePhase.drain
    private var mark: UInt64 = 0
    private var total: UInt64 = 0
    private var spanStart: UInt64?
    private var spanEnd: UInt64 = 0
    /// By the phase's place: hashing would show in the shortest phases.
    private var durations = [UInt64](repeating: 0, count: CyclePhase.allCases.count)

    package init() {}

    /// A cycle begins.
    package func begin(_ detail: Detail) {
        self.detail = detail
        phase = .drain
        total = 0
        spanStart = nil
        spanEnd = 0
        for index in durations.indices { durations[index] = 0 }
        mark = Self.now()
    }

    /// The device's part of the stop is over; what comes now belongs to nothing.
    package func pause() { account() }

    /// The device's part of the start begins.
    package func resume() { mark = Self.now() }

    /// A cycle ends.
    package func end() -> CycleTiming {
        account()
        if detail == .whole { return CycleTiming(total: total, phases: [:], span: nil) }
        let phases =
            detail == .phases ? CyclePhase.allCases.map { ($0, durations[$0.order]) }.filter { $0.1 > 0 } : []
        return CycleTiming(
            total: total, phases: Dictionary(uniqueKeysWithValues: phases),
            span: spanStart.map { max(spanEnd, $0) - $0 })
    }

    package func willCall(_ request: UInt, _ argument: UInt) {
        switch detail {
        case .whole: break
        case .phases: enter(DeviceCallPhase.of(request: request, status: Self.status(request, argument)))
        case .span: if spanStart == nil { spanStart = Self.now() }
        }
    }

    package func didCall(_ request: UInt, _ argument: UInt) {
        guard detail == .span else { return }
        let phase = DeviceCallPhase.of(request: request, status: Self.status(request, argument))
        if phase == .enable { spanEnd = Self.now() }
    }

    package func willSend(_ message: IOTLBMessage) {
        if detail == .phases { enter(DeviceCallPhase.of(message.operation, during: phase)) }
    }

    /// A call of phase `next` is about to be made.
    private func enter(_ next: CyclePhase?) {
        guard let next, next != phase else { return }
        account()
        phase = next
    }

    /// Puts the time since the last reading down to the phase.
    private func account() {
        let now = Self.now()
        total += now - mark
        durations[phase.order] += now - mark
        mark = now
    }

    /// SET_STATUS's argument; `nil` for another request.
    private static func status(_ request: UInt, _ argument: UInt) -> DeviceStatus? {
        guard request == clinux_vdpa_set_status,
            let pointer = unsafe UnsafePointer<UInt8>(bitPattern: argument)
        else { return nil }
        return unsafe DeviceStatus(rawValue: pointer.pointee)
    }

    /// CLOCK_MONOTONIC in nanoseconds, as the C baseline reads it.
    static func now() -> UInt64 { now(CLOCK_MONOTONIC) }

    /// The processor time of all threads of the process, in nanoseconds.
    static func processNow() -> UInt64 { now(CLOCK_PROCESS_CPUTIME_ID) }

    private static func now(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
