import CLinux
import SystemPackage

/// An eventfd of the test's own.
final class EventCounter {
    let descriptor: FileDescriptor

    init(initial: UInt32 = 0) throws {
        let number = clinux_eventfd(initial)
        guard number >= 0 else { throw Errno(rawValue: -number) }
        descriptor = FileDescriptor(rawValue: number)
    }

    deinit { try? descriptor.close() }

    /// Adds one.
    func signal() { _ = clinux_eventfd_signal(descriptor.rawValue) }

    /// Reads and clears the counter; 0 where nobody signalled.
    func take() -> UInt64 {
        var value: UInt64 = 0
        let count = try? unsafe withUnsafeMutableBytes(of: &value) { try unsafe descriptor.read(into: $0) }
        return count == 8 ? value : 0
    }
}
