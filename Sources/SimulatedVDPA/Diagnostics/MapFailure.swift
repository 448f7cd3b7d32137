internal import GuestMemory
internal import Logging
package import SystemPackage

/// A refused IOTLB message, or a failure nobody was told about, with its true cause.
///
/// write() answers EFAULT to every refusal, and nothing at all to a failing `set_map` at the end of a batch.
package struct MapFailure: Hashable, Sendable {
    package let message: VhostMessage
    package let cause: Errno
    /// The caller was told nothing: the write succeeded.
    package let isSilent: Bool
}

/// The latest map failures of one open file, oldest first, each logged as it is added.
struct MapFailureLog {
    /// How many are remembered; the later ones push out the oldest.
    private static let limit = 64

    private(set) var failures: [MapFailure] = []
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// Remembers `failure`. Whoever sent a message that is refused is told the cause; of the others nobody else knows.
    mutating func add(_ failure: MapFailure) {
        if failures.count == Self.limit { failures.removeFirst() }
        failures.append(failure)
        let message = failure.message
        logger.log(
            level: failure.isSilent ? .warning : .info, "IOTLB message refused",
            metadata: [
                "type": "\(message.kind.rawValue)", "asid": "\(message.addressSpace)",
                "iova": "\(IOVirtualAddress(rawValue: message.iova))", "size": "\(message.size)",
                "cause": "\(failure.cause)", "silent": "\(failure.isSilent)",
            ])
    }
}
