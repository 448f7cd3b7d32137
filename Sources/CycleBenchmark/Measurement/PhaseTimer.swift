internal import CLinux
internal import Glibc
package import SystemPackage
package import VhostVDPA

/// A character device in front of another that takes the time of a cycle as its calls go by.
///
/// The clock is read where a phase begins, not at every call, so that measuring adds about nine readings to a
/// cycle, or four where only the whole is asked for. What the caller computes between two calls of a phase
/// belongs to that phase. The time between the end of a stop (ACKNOWLEDGE and DRIVER) and the next call belongs
/// to nothing: the guest's driver may start over there. Control thread.
package final class PhaseTimer: CharacterDevice {
    /// What is wanted of a cycle.
    package enum Detail: Hashable, Sendable {
        /// Its whole time.
        case whole
        /// The time of each phase.
        case phases
        /// From its first call to the end of the last one that enables a queue, with everything between.
        case span
    }

    private let device: any CharacterDevice
    private var isRunning = false
    private var isDetailed = false
    private var takesSpan = false
    private var spanStart: UInt64?
    private var spanEnd: UInt64 = 0
    /// The first map: from before the first IOTLB message of the first start to after the last one.
    private var firstMessage: UInt64?
    private var lastMessage: UInt64 = 0
    private var hasRun = false
    /// Between a stop and its start.
    private var isBetween = false
    private var phase = CyclePhase.drain
    private var mark: UInt64 = 0
    private var total: UInt64 = 0
    /// By the phase's place: hashing would show in the shortest phases.
    private var durations = [UInt64](repeating: 0, count: CyclePhase.allCases.count)

    package init(_ device: any CharacterDevice) { self.device = device }

    /// What the messages took that came before the first cycle, in nanoseconds; `nil` where there were none.
    package var firstMap: UInt64? { firstMessage.map { lastMessage - $0 } }

    /// A cycle begins.
    package func begin(_ detail: Detail) {
        isDetailed = detail == .phases
        takesSpan = detail == .span
        spanStart = nil
        spanEnd = 0
        hasRun = true
        isBetween = false
        phase = .drain
        total = 0
        for index in durations.indices { durations[index] = 0 }
        isRunning = true
        mark = Self.now()
    }

    /// A cycle ends.
    package func end() -> CycleTiming {
        if !isBetween { account() }
        isRunning = false
        isBetween = false
        isDetailed = false
        takesSpan = false
        let phases = CyclePhase.allCases.map { ($0, durations[$0.order]) }.filter { $0.1 > 0 }
        return CycleTiming(
            total: total, phases: Dictionary(uniqueKeysWithValues: phases),
            span: spanStart.map { max(spanEnd, $0) - $0 })
    }

    /// The short way is the one of whole cycles, whose time it must not add to.
    package func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
        if isWatching || request == clinux_vdpa_set_status { return try watch(request, argument) }
        return try device.ioctl(request, argument)
    }

    /// Whether every call has to be looked at, and not only those of which each cycle has few.
    private var isWatching: Bool { isBetween || isDetailed || takesSpan }

    @inline(never)
    private func watch(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
        guard isRunning else { return try device.ioctl(request, argument) }
        let status = request == clinux_vdpa_set_status ? Self.status(at: argument) : nil
        let call = isDetailed || takesSpan ? DeviceCallPhase.of(request: request, status: status) : nil
        enter(isDetailed ? call : nil)
        if takesSpan, spanStart == nil { spanStart = Self.now() }
        let result = try device.ioctl(request, argument)
        if takesSpan, call == .enable { spanEnd = Self.now() }
        if status == [.acknowledge, .driver] {
            account()
            isBetween = true
        }
        return result
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        if isRunning {
            let type = unsafe bytes.count > Self.typeOffset ? bytes[Self.typeOffset] : 0
            enter(isDetailed ? DeviceCallPhase.of(messageType: type, during: phase) : nil)
        }
        guard !hasRun else { return try unsafe device.write(bytes) }
        if firstMessage == nil { firstMessage = Self.now() }
        defer { lastMessage = Self.now() }
        return try unsafe device.write(bytes)
    }

    package func map(
        length: Int, protection: Int32, flags: Int32, offset: Int
    ) throws(Errno) -> UnsafeMutableRawPointer {
        try unsafe device.map(length: length, protection: protection, flags: flags, offset: offset)
    }

    package func close() { device.close() }

    /// A call of phase `next` is about to be made.
    private func enter(_ next: CyclePhase?) {
        if isBetween {
            isBetween = false
            mark = Self.now()
        } else if let next, next != phase {
            account()
        }
        if let next { phase = next }
    }

    /// Puts the time since the last reading down to the phase.
    private func account() {
        let now = Self.now()
        total += now - mark
        if isDetailed { durations[phase.order] += now - mark }
        mark = now
    }

    /// Where `struct vhost_msg_v2` has the message's type (linux/vhost_types.h).
    private static let typeOffset = 33

    private static func status(at address: UInt) -> DeviceStatus? {
        guard let pointer = unsafe UnsafePointer<UInt8>(bitPattern: address) else { return nil }
        return unsafe DeviceStatus(rawValue: pointer.pointee)
    }

    /// CLOCK_MONOTONIC in nanoseconds, as the C baseline reads it.
    static func now() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
