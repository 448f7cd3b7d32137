internal import Glibc
internal import SystemPackage

/// Descriptors that one waits for together, with poll(2).
struct PollSet {
    private var requests: [pollfd]

    /// Waits for `descriptors` to become readable.
    init(_ descriptors: [FileDescriptor]) {
        requests = descriptors.map { pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0) }
    }

    /// Waits until one of them is, at most so long. A signal handler's interruption, or a refusal, ends the wait early with none.
    mutating func wait(milliseconds: Int32) {
        let result = unsafe requests.withUnsafeMutableBufferPointer { buffer in
            unsafe poll(buffer.baseAddress, nfds_t(buffer.count), milliseconds)
        }
        if result < 0 { for index in requests.indices { requests[index].revents = 0 } }
    }

    /// Whether there is something to read of the descriptor at `index`.
    func isReadable(_ index: Int) -> Bool { requests[index].revents & Int16(POLLIN) != 0 }

    /// Whether the descriptor at `index` has failed.
    func hasFailed(_ index: Int) -> Bool {
        requests[index].revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0
    }
}
