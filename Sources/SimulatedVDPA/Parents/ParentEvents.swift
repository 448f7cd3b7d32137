package import VirtioDevice
internal import WorkerRuntime

/// What a data path reports, and who is told: the one meeting point of the worker and the control thread.
///
/// Faults are counted all and remembered up to a bound; a broken queue sets NEEDS_RESET and signals the
/// configuration interrupt, as virtio 1.2 section 2.1.1 asks.
package final class ParentEvents: Sendable {
    /// How many faults are remembered with their address; the later ones push out the oldest.
    package static let recentFaultLimit = 64

    private struct State {
        var faultCount = 0
        var recentFaults: [RecordedFault] = []
        var brokenQueues: [BrokenQueue] = []
        var needsReset = false
        var configurationCall: EventFile?
    }

    private let state = Guarded(State())

    /// A broken queue sets NEEDS_RESET.
    private let asksForReset: Bool

    package init(asksForReset: Bool = true) { self.asksForReset = asksForReset }

    /// Takes an event, on the worker's thread.
    package func report(_ event: DataPathEvent) {
        switch event {
        case .fault(let fault, let queue):
            state.withLock { state in
                state.faultCount += 1
                if state.recentFaults.count == Self.recentFaultLimit { state.recentFaults.removeFirst() }
                state.recentFaults.append(RecordedFault(fault: fault, queue: queue))
            }
        case .queueBroken(let error, let queue):
            let call = state.withLock { state -> EventFile? in
                state.brokenQueues.append(BrokenQueue(error: error, queue: queue))
                guard asksForReset else { return nil }
                state.needsReset = true
                return state.configurationCall
            }
            call?.signal()
        case .failed:
            requestReset()
        }
    }

    /// Asks for a reset although no queue is broken: the device itself has failed. The driver is called where `calling`.
    package func requestReset(calling: Bool = true) {
        let call = state.withLock { state in
            state.needsReset = true
            return calling ? state.configurationCall : nil
        }
        call?.signal()
    }

    package var needsReset: Bool { state.withLock { $0.needsReset } }

    package var faultCount: Int { state.withLock { $0.faultCount } }

    package var recentFaults: [RecordedFault] { state.withLock { $0.recentFaults } }

    package var brokenQueues: [BrokenQueue] { state.withLock { $0.brokenQueues } }

    package func setConfigurationCall(_ file: EventFile?) { state.withLock { $0.configurationCall = file } }

    /// Forgets what a reset heals. The counts of faults stay: they are the user's, not the device's.
    package func reset() {
        state.withLock { state in
            state.needsReset = false
            state.brokenQueues = []
        }
    }
}
