internal import Synchronization

/// Who makes a system call on a simulated device: the kernel's `current->mm`.
///
/// vhost's owner is an address space, not a process or a descriptor, so a child that inherits the descriptor
/// over `fork` is somebody else. A second identity stands in for it, without a fork.
package struct SimulatedCaller: Hashable, Sendable {
    private static let next = Atomic<Int>(1)

    private let number: Int

    /// This process: the caller of every device that is not told otherwise.
    package static let process = SimulatedCaller(number: 0)

    private init(number: Int) { self.number = number }

    /// A caller that is nobody seen before: a forked child.
    package static func forkedChild() -> SimulatedCaller {
        SimulatedCaller(number: next.add(1, ordering: .relaxed).newValue)
    }
}
