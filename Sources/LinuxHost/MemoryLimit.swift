internal import CLinux

/// A limit of this process's memory that somebody has set: without one the machine's memory is the limit.
package struct MemoryLimit: Equatable, Sendable {
    /// How a shell raises it.
    package let command: String
    package let byteCount: UInt64

    package init(command: String, byteCount: UInt64) {
        self.command = command
        self.byteCount = byteCount
    }

    /// Those that are set: of the address space (RLIMIT_AS), of the data in it (RLIMIT_DATA). Two system calls.
    package static var all: [MemoryLimit] {
        [("ulimit -v", clinux_address_space_limit()), ("ulimit -d", clinux_data_limit())]
            .filter { $0.1 != .max }.map { MemoryLimit(command: $0.0, byteCount: $0.1) }
    }

    /// As a shell is told of it.
    var words: String { "'\(command)' (\(byteCount >> 10))" }
}
