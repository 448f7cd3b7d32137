internal import SystemPackage

/// What feeds a guest's driver with frames, and takes what it receives.
package enum GuestPort: ~Copyable, Sendable {
    /// Numbered, checksummed frames, each checked when it comes back.
    case generator
    /// Frames from a TAP device, and received ones into it.
    case tap(TAPDevice)
    /// Nothing is sent; what is received is dropped.
    case none

    /// The cases without what they hold.
    enum Kind {
        case generator, tap, none
    }

    var kind: Kind {
        switch self {
        case .generator: .generator
        case .tap: .tap
        case .none: .none
        }
    }

    /// The port of a further queue pair: a generator of its own, one more queue of the TAP, or nothing as here. `nil`
    /// where there can be only one.
    func another() throws(PortError) -> GuestPort? {
        switch self {
        case .generator: return .generator
        case .none: return GuestPort.none
        case .tap(let device):
            guard let queue = try device.anotherQueue() else { return nil }
            return .tap(queue)
        }
    }

    /// The MTU of the port's interface, where it has one that can be asked for.
    package var mtu: Int? {
        switch self {
        case .tap(let device): device.status?.mtu
        case .generator: nil
        case .none: nil
        }
    }

    /// What the worker reads and writes, where the port is a file. Valid while the port lives.
    var descriptor: FileDescriptor? {
        switch self {
        case .tap(let device): device.descriptor
        case .generator: nil
        case .none: nil
        }
    }
}
