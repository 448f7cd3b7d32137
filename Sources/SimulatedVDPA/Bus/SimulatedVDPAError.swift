/// Why a simulated device could not be made.
public struct SimulatedVDPAError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is; more may come.
    public enum Code: Hashable, Sendable {
        /// The worker that moves the device's frames could not be started.
        case noWorker
        /// Memory cannot be pinned on this machine, and the device needs that.
        case cannotPin
    }

    /// The kind of failure.
    public let code: Code
    /// What could not be done, why, and what to do, in one line.
    public let description: String

    init(_ code: Code, _ cause: any Error) {
        self.code = code
        switch code {
        case .noWorker: description = "the simulated device's worker could not be started: \(cause)"
        case .cannotPin: description = "the simulated kernel pins by io_uring, and that was refused: \(cause)"
        }
    }
}
