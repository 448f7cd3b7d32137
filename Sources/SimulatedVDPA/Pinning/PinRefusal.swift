package import SystemPackage

/// Why pages were not pinned.
package struct PinRefusal: Error, Hashable, Sendable {
    /// What stood in the way.
    package enum Reason: Hashable, Sendable {
        /// The pages wanted and those pinned are more than may be.
        case limit(pages: Int, pinned: Int, wanted: Int)
        /// A page is not mapped in this process, or not writable.
        case memory
        /// The machine's own kernel refused, in its words.
        case system(String)
    }

    /// What the simulated kernel would answer.
    package let errno: Errno
    package let reason: Reason

    package init(_ errno: Errno, _ reason: Reason) {
        self.errno = errno
        self.reason = reason
    }
}
