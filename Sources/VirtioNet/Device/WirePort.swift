internal import SystemPackage

/// What stands at the far end of a simulated device's wire.
package enum WirePort: ~Copyable, Sendable {
    /// Every transmitted frame comes back.
    case loopback
    /// Frames leave through, and come from, a TAP device.
    case tap(TAPDevice)
    /// Nothing: transmitted frames are gone, none come in.
    case none
    /// None: the device is the kernel's vdpa_sim_net, which loops frames back itself and has a control queue that
    /// changes its configuration.
    case simulator(ConfigurationSpace)

    /// The cases without what they hold.
    enum Kind {
        case loopback, tap, none, simulator
    }

    var kind: Kind {
        switch self {
        case .loopback: .loopback
        case .tap: .tap
        case .none: .none
        case .simulator: .simulator
        }
    }

    /// The configuration that a control queue changes; `nil` where there is no such queue.
    var configurationSpace: ConfigurationSpace? {
        switch self {
        case .simulator(let space): space
        default: nil
        }
    }

    /// The wire of a further queue pair: a loop of its own, one more queue of the TAP, or nothing as here. `nil` where
    /// there can be only one.
    func another() throws(PortError) -> WirePort? {
        switch self {
        case .loopback: return .loopback
        case .none: return WirePort.none
        case .simulator: return nil
        case .tap(let device):
            guard let queue = try device.anotherQueue() else { return nil }
            return .tap(queue)
        }
    }

    /// The MTU of the port's interface, where it has one that can be asked for.
    var mtu: Int? {
        switch self {
        case .tap(let device): device.status?.mtu
        case .loopback: nil
        case .none: nil
        case .simulator: nil
        }
    }

    /// What the worker reads and writes, where the port is a file. Valid while the port lives.
    var descriptor: FileDescriptor? {
        switch self {
        case .tap(let device): device.descriptor
        case .loopback: nil
        case .none: nil
        case .simulator: nil
        }
    }
}
