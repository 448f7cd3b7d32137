internal import CLinux
internal import Glibc
public import SystemPackage

/// An eventfd that this process owns: non-blocking, closed on exec, closed when the value goes away.
///
/// Any thread may signal; signals add up until somebody drains. A signal costs one system call of about 200 ns
/// plus the wake of whoever waits.
public struct EventFD: ~Copyable, Sendable {
    /// Lent, not given: valid while this value lives. Whoever keeps it duplicates it.
    public let descriptor: FileDescriptor

    /// Creates an eventfd that nobody has signalled, or `initial` times.
    ///
    /// - Throws: What eventfd(2) does: EMFILE, ENFILE or ENOMEM.
    public init(initial: UInt32 = 0) throws(Errno) {
        let answer = clinux_eventfd(initial)
        guard answer >= 0 else { throw Errno(rawValue: -answer) }
        descriptor = FileDescriptor(rawValue: answer)
    }

    /// A second descriptor of the same eventfd as `original`, which stays with its owner.
    ///
    /// Blocking or not is a property of the shared file, not of the descriptor: an eventfd that its creator made
    /// blocking blocks here too, in ``drain()`` when it is empty.
    package init(duplicating original: FileDescriptor) throws(Errno) {
        let answer = clinux_duplicate(original.rawValue)
        guard answer >= 0 else { throw Errno(rawValue: -answer) }
        descriptor = FileDescriptor(rawValue: answer)
    }

    /// Takes `descriptor`, and closes it in the end.
    package init(owning descriptor: FileDescriptor) { self.descriptor = descriptor }

    deinit {
        try? descriptor.close()
    }

    /// Adds one to the counter and wakes who waits. A saturated counter is signalled already.
    ///
    /// - Returns: `nil`, or why nobody was woken, after several attempts.
    @discardableResult
    public borrowing func signal() -> Errno? {
        EventFD.signal(descriptor)
    }

    /// Takes the counter: how often it was signalled since the last time, 0 for never.
    @discardableResult
    public borrowing func drain() -> UInt64 {
        EventFD.drain(descriptor)
    }

    /// Waits until it is signalled, at most so long; `nil` is for ever. The counter stays: ``drain()`` takes it.
    ///
    /// A signal handler's interruption ends the wait early. Who waits looks at what it waits for in any case. The wait has
    /// the resolution of poll(2), a millisecond, and is never shorter than `duration`.
    public borrowing func wait(atMost duration: Duration?) {
        guard let duration else { return wait(milliseconds: -1) }
        let (seconds, attoseconds) = max(duration, .zero).components
        let rest = Int32((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
        wait(milliseconds: Int32(min(seconds, 2_000_000)) * 1000 + rest)
    }

    /// Waits as ``wait(atMost:)`` does, at most so many milliseconds; -1 is for ever.
    package borrowing func wait(milliseconds: Int32) {
        var request = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        _ = unsafe Glibc.poll(&request, 1, milliseconds)
    }

    /// Signals an eventfd that is somebody else's; returns what ``signal()`` does.
    @discardableResult
    package static func signal(_ descriptor: FileDescriptor) -> Errno? {
        let answer = clinux_eventfd_signal(descriptor.rawValue)
        return answer < 0 ? Errno(rawValue: -answer) : nil
    }

    /// Signals, and takes a saturated counter for a refusal as well: for an eventfd that nobody else signals, which
    /// cannot be saturated.
    package borrowing func signalOwn() -> Errno? {
        let answer = clinux_eventfd_add(descriptor.rawValue)
        return answer < 0 ? Errno(rawValue: -answer) : nil
    }

    /// Adds `count` to the counter of an eventfd, as one write(2) does.
    ///
    /// - Returns: `nil`, or the errno: EAGAIN where the counter has no room for it, EINVAL for the largest number.
    package static func add(_ count: UInt64, to descriptor: FileDescriptor) -> Errno? {
        let written = unsafe withUnsafeBytes(of: count) { bytes in
            unsafe clinux_write(descriptor.rawValue, bytes.baseAddress, bytes.count)
        }
        return written < 0 ? Errno(rawValue: -written) : nil
    }

    /// Drains an eventfd that is somebody else's; 0 where there is nothing to take.
    @discardableResult
    package static func drain(_ descriptor: FileDescriptor) -> UInt64 {
        var count: UInt64 = 0
        return unsafe clinux_eventfd_drain(descriptor.rawValue, &count) == 0 ? count : 0
    }
}
