/// The conditions a poll waits for and reports, as poll(2) has them.
public struct PollEvents: OptionSet, Sendable {
    /// The bits as poll(2) has them.
    public let rawValue: UInt32

    /// Makes a set of its bits.
    @inlinable
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Reading would not block.
    @inlinable public static var input: PollEvents { PollEvents(rawValue: 0x001) }  // POLLIN
    /// Writing would not block.
    @inlinable public static var output: PollEvents { PollEvents(rawValue: 0x004) }  // POLLOUT
    /// The file is in error; reported whether asked for or not.
    @inlinable public static var error: PollEvents { PollEvents(rawValue: 0x008) }  // POLLERR
    /// The other end is gone; reported whether asked for or not.
    @inlinable public static var hangUp: PollEvents { PollEvents(rawValue: 0x010) }  // POLLHUP
}
