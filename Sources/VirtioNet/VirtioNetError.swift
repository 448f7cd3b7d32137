package import GuestMemory
package import IOUring
internal import LinuxHost
package import SystemPackage
package import VirtQueue
package import WorkerRuntime

/// Why a virtual NIC could not be set up.
package struct VirtioNetError: Error, Sendable {
    package enum Code: Sendable {
        /// The kernel gave the worker no io_uring.
        case ring(IOUringError)
        /// No eventfd could be made.
        case noEventDescriptor
        /// The worker's thread could not be started.
        case worker(WorkerThread.StartFailure<Never>)
        /// The guest memory for rings and buffers is too small.
        case memoryTooSmall(needed: ByteCount, given: ByteCount)
        /// The driver's queues cannot have the shape asked for.
        case queue(VirtQueueError)
        /// More than one queue pair on a port that carries one.
        case portHasOneQueuePair
        /// A worker that ran has stopped for good.
        case workerFailed(WorkerFailure)
        /// The port has no queue for a further pair.
        case port(PortError)
    }

    package let code: Code
    package let errno: Errno?

    package init(_ code: Code, errno: Errno? = nil) {
        self.code = code
        self.errno = errno
    }

    /// What kept a worker from its start.
    package init(_ failure: WorkerStartFailure<VirtioNetError>) {
        switch failure {
        case .noEventDescriptor(let errno): self.init(.noEventDescriptor, errno: errno)
        case .thread(.thread(let name, let errno)):
            self.init(.worker(.thread(name: name, errno)), errno: errno)
        case .thread(.setUp(let error)): self = error
        }
    }
}

extension VirtioNetError: CustomStringConvertible {
    package var description: String {
        let cause = errno.map { ": \(Shortage.words($0))" } ?? ""
        switch code {
        case .ring(let error): return "\(error)"
        case .noEventDescriptor: return "cannot make an eventfd\(cause)"
        case .worker(let failure): return "\(failure)"
        case .memoryTooSmall(let needed, let given):
            return "the driver's rings and buffers need \(needed) of guest memory, \(given) were given"
        case .queue(let error):
            return "the driver cannot lay out its queues: \(error.code)"
        case .portHasOneQueuePair:
            return "the port carries one queue pair: use --queues 1, or a TAP of several queues"
        case .port(let error):
            return "\(error)"
        case .workerFailed(let failure):
            return "\(failure)"
        }
    }
}
