internal import CLinux
internal import Glibc
package import SystemPackage

/// An eventfd of a rule's own, closed with the object.
package final class EventCounter {
    package let descriptor: FileDescriptor

    package init() throws(RuleInterruption) {
        let number = clinux_eventfd(0)
        guard number >= 0 else {
            throw CallerShortage.interruption("an eventfd", Errno(rawValue: Glibc.errno))
        }
        descriptor = FileDescriptor(rawValue: number)
    }

    deinit { try? descriptor.close() }

    package func signal() { _ = clinux_eventfd_signal(descriptor.rawValue) }

    /// Takes the counter; 0 where nobody has signalled.
    package func take() -> UInt64 {
        var count: UInt64 = 0
        return unsafe clinux_eventfd_drain(descriptor.rawValue, &count) == 0 ? count : 0
    }

    /// Waits until it is signalled, at most so long.
    package func wait(milliseconds: Int) {
        var poll = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        _ = unsafe Glibc.poll(&poll, 1, Int32(milliseconds))
    }
}
