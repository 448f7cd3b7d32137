internal import CLinux
internal import Glibc
internal import SystemPackage

/// An eventfd of a rule's own, closed with the object.
final class EventCounter {
    let descriptor: FileDescriptor

    init() throws(RuleInterruption) {
        let number = clinux_eventfd(0)
        guard number >= 0 else { throw .notApplicable(reason: "no eventfd is to be had") }
        descriptor = FileDescriptor(rawValue: number)
    }

    deinit { try? descriptor.close() }

    func signal() { _ = clinux_eventfd_signal(descriptor.rawValue) }

    /// Takes the counter; 0 where nobody has signalled.
    func take() -> UInt64 {
        var count: UInt64 = 0
        return unsafe clinux_eventfd_drain(descriptor.rawValue, &count) == 0 ? count : 0
    }

    /// Waits until it is signalled, at most so long.
    func wait(milliseconds: Int) {
        var poll = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        _ = unsafe Glibc.poll(&poll, 1, Int32(milliseconds))
    }
}
