internal import Synchronization

/// Who makes a system call on a simulated device: the kernel's `current->mm`, and what is reached through it.
///
/// vhost's owner is an address space, not a process or a descriptor, so a child that inherits the descriptor
/// over `fork` is somebody else. A second identity stands in for it, without a fork.
package struct SimulatedCaller: Hashable, Sendable {
    private static let next = Atomic<Int>(1)

    private let number: Int
    /// Whose memory and descriptors the numbers of a call mean.
    package let process: CallerProcess

    /// This process: the caller of every device that is not told otherwise.
    package static let process = SimulatedCaller(number: 0, process: .this)

    private init(number: Int, process: CallerProcess) {
        self.number = number
        self.process = process
    }

    /// A caller that is nobody seen before: a forked child.
    package static func forkedChild() -> SimulatedCaller { another(in: .this) }

    /// A caller that is nobody seen before, with an address space of `process`'s.
    package static func another(in process: CallerProcess) -> SimulatedCaller {
        SimulatedCaller(number: next.add(1, ordering: .relaxed).newValue, process: process)
    }

    /// The same caller, by another thread of its own.
    package func calling(from process: CallerProcess) -> SimulatedCaller {
        SimulatedCaller(number: number, process: process)
    }

    package static func == (one: SimulatedCaller, other: SimulatedCaller) -> Bool {
        one.number == other.number
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(number) }
}
