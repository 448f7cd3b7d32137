internal import SimulatedVDPA
internal import WorkerRuntime

/// Whose call is being answered, for those whom a device asks about memory and limits.
final class CurrentCaller: Sendable {
    private let current = Guarded<SimulatedCaller>(.process)

    var caller: SimulatedCaller {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }
}
