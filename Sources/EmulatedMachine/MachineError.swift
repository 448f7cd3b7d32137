package import GuestMemory
package import VhostVDPA
package import VhostVDPABackend
package import VirtioNet
package import WorkerRuntime

/// Why a machine could not be assembled or could not do what was asked.
package enum MachineError: Error, Sendable {
    case memory(GuestMemoryError)
    case port(PortError)
    case network(VirtioNetError)
    /// A thread of the process's own could not be started.
    case thread(WorkerThread.StartFailure<Never>)
    case device(VhostVDPAError)
    case backend(BackendError)
    /// The simulated device could not be made.
    case simulation(String)
    /// Memory cannot go yet, as the driver still has buffers in it.
    case memoryInUse(String)
    /// A combination that cannot exist.
    case unsupported(String)
}

extension MachineError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .memory(let error): "\(error)"
        case .port(let error): "\(error)"
        case .network(let error): "\(error)"
        case .thread(let failure): "\(failure)"
        case .device(let error): "\(error)"
        case .backend(let error): "\(error)"
        case .simulation(let message): message
        case .memoryInUse(let message): message
        case .unsupported(let message): message
        }
    }
}
