internal import EmulatedMachine

/// Whether a benchmark has to end before its end. Control thread.
struct EndWatch {
    enum Reason: Hashable {
        /// Somebody asked for it.
        case interrupted
        /// The device was removed: whoever removes it waits until it is closed.
        case deviceIsGone
        /// A worker of the machine has stopped for good: nothing measured from then on is of the device's making.
        case machineFailed
    }

    /// How often the device is looked for, in nanoseconds: two system calls.
    private static let interval: UInt64 = 100_000_000

    private let interrupt: RunInterrupt?
    private var nextLook: UInt64 = 0

    init(_ interrupt: RunInterrupt?) { self.interrupt = interrupt }

    var isInterrupted: Bool { interrupt?.wasRaised ?? false }

    /// Why no further cycle may be done; `nil` where one may.
    mutating func reason(_ machine: EmulatedMachine) -> Reason? {
        if isInterrupted { return .interrupted }
        if machine.failure != nil { return .machineFailed }
        let now = PhaseTimer.now()
        guard now >= nextLook else { return nil }
        nextLook = now + Self.interval
        return machine.deviceIsGone ? .deviceIsGone : nil
    }
}
