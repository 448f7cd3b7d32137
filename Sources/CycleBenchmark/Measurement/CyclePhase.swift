/// A part of a stop and a start, in the order in which they come.
package enum CyclePhase: String, CaseIterable, Codable, CodingKeyRepresentable, Hashable, Sendable {
    /// Our own work before the first device call.
    case drain
    /// SUSPEND.
    case suspend
    /// GET_VRING_BASE of every queue.
    case baseRead
    /// INVALIDATE messages and their batch.
    case unmap
    /// SET_STATUS 0.
    case reset
    /// ACKNOWLEDGE and DRIVER, features, FEATURES_OK, and the status read back.
    case negotiate
    /// UPDATE messages and their batch.
    case map
    /// Size, base, addresses, kick and call of every queue, and the configuration interrupt.
    case vringSetup
    /// DRIVER_OK, VRING_ENABLE, RESUME, and a kick for every queue.
    case enable

    /// The phase's place among all.
    var order: Int {
        switch self {
        case .drain: 0
        case .suspend: 1
        case .baseRead: 2
        case .unmap: 3
        case .reset: 4
        case .negotiate: 5
        case .map: 6
        case .vringSetup: 7
        case .enable: 8
        }
    }
}
