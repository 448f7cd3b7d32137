internal import SimulatedVDPA
internal import WorkerRuntime

/// Whose call is being answered, for those whom a device asks about memory and limits.
final class CurrentCaller: Sendable {
    private let caller = Guarded<CallerProcess>(.this)

    var process: CallerProcess {
        get { caller.withLock { $0 } }
        set { caller.withLock { $0 = newValue } }
    }
}
