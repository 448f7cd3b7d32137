internal import LinuxHost
package import SystemPackage

/// An eventfd of a rule's own, closed with the object.
package final class EventCounter {
    private let event: EventFD

    package init() throws(RuleInterruption) {
        do throws(Errno) {
            event = try EventFD()
        } catch {
            throw CallerShortage.interruption("an eventfd", error)
        }
    }

    /// Lent, not given: valid while this object lives.
    package var descriptor: FileDescriptor { event.descriptor }

    package func signal() { event.signal() }

    /// Takes the counter; 0 where nobody has signalled.
    package func take() -> UInt64 { event.drain() }

    /// Waits until it is signalled, at most so long.
    package func wait(milliseconds: Int) { event.wait(milliseconds: Int32(milliseconds)) }
}
