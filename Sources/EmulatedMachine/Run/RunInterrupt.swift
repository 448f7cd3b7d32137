internal import IOUring
internal import Synchronization
internal import SystemPackage

/// How another thread, a signal's for one, asks a run to end early.
package final class RunInterrupt: Sendable {
    private let event: EventFD
    private let isRaised = Atomic<Bool>(false)

    package init() throws(MachineError) {
        do throws(Errno) {
            event = try EventFD()
        } catch {
            throw .unsupported("an eventfd is needed and could not be made: \(error)")
        }
    }

    /// Asks the run to end. Any thread, any number of times.
    package func raise() {
        isRaised.store(true, ordering: .releasing)
        event.signal()
    }

    /// Whether somebody has asked.
    package var wasRaised: Bool { isRaised.load(ordering: .acquiring) }

    var descriptor: FileDescriptor { event.descriptor }
}
