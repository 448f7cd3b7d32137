internal import WorkerRuntime

/// A device's configuration space where a control queue can change it: shared by its parent driver, which answers
/// GET_CONFIG and SET_CONFIG on the control thread, and its worker.
///
/// Accesses outside the space read nothing and change nothing, as vdpa_sim's. Any thread; each access is whole.
package final class ConfigurationSpace: Sendable {
    private let bytes: Guarded<[UInt8]>

    /// Makes a space of `bytes`, in the layout of the device's kind.
    package init(_ bytes: [UInt8]) { self.bytes = Guarded(bytes) }

    /// `count` bytes from `offset`; none where they are not all there.
    package func read(at offset: Int, count: Int) -> [UInt8] {
        bytes.withLock { bytes in
            guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
                return []
            }
            return Array(bytes[offset..<offset + count])
        }
    }

    /// Replaces the bytes from `offset` on.
    package func write(_ new: [UInt8], at offset: Int) {
        bytes.withLock { bytes in
            guard offset >= 0, offset <= bytes.count, new.count <= bytes.count - offset else { return }
            bytes.replaceSubrange(offset..<offset + new.count, with: new)
        }
    }
}
