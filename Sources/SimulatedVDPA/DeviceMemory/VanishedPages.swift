internal import CLinux

/// How many pages a device has missed in its windows, which whoever has the file had taken from it: each is an access that
/// the kernel's device could not make.
///
/// Without ``handle()`` such an access ends this process (SIGBUS).
@safe
package final class VanishedPages: Sendable {
    /// What a signal handler counts in.
    @unsafe
    nonisolated(unsafe) let counter: UnsafeMutablePointer<UInt64>

    /// A count of none.
    package init() {
        unsafe counter = .allocate(capacity: 1)
        unsafe counter.initialize(to: 0)
    }

    deinit { unsafe counter.deallocate() }

    /// The pages missed so far. Any thread.
    package var count: Int { Int(clamping: unsafe clinux_vanished_pages(counter)) }

    /// Has every page that vanishes from a window replaced by an empty one from now on, for as long as this process lives.
    package static func handle() { _ = clinux_handle_vanished_pages() }
}
