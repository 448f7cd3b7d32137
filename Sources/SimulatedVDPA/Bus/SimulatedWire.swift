internal import VirtioNet

/// What stands at the far end of a simulated device's wire.
public enum SimulatedWire: Sendable {
    /// Every frame that is transmitted comes back.
    case loopback
    /// Nothing: frames that are transmitted are gone, and none comes.
    case unplugged

    /// The port that plays it.
    func makePort() -> WirePort {
        switch self {
        case .loopback: .loopback
        case .unplugged: .none
        }
    }
}
