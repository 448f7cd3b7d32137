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
