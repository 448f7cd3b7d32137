package import SystemPackage

/// One eventfd with several owners, closed with the last of them. Any thread may signal or drain it.
package final class SharedEventFD: Sendable {
    package let event: EventFD

    package init() throws(Errno) {
        event = try EventFD()
    }

    /// A second descriptor of the same eventfd as `original`, which stays with its owner.
    package init(duplicating original: FileDescriptor) throws(Errno) {
        event = try EventFD(duplicating: original)
    }

    /// Takes `descriptor`, an eventfd or not, and closes it in the end.
    package init(owning descriptor: FileDescriptor) { event = EventFD(owning: descriptor) }

    /// Lent, not given: valid while this object lives.
    package var descriptor: FileDescriptor { event.descriptor }
}
