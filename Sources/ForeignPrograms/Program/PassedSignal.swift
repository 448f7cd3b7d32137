/// A signal that this process got and the program is to get.
package struct PassedSignal: Hashable, Sendable {
    package let number: Int32
    /// Everybody in the process group got it, as of a terminal's keys.
    package let isGroups: Bool

    package init(_ number: Int32, isGroups: Bool) {
        self.number = number
        self.isGroups = isGroups
    }
}

/// The signals that a program starts with blocked and ignored, bit n - 1 for signal n: those of whoever started this
/// process.
package struct InheritedSignals: Hashable, Sendable {
    package let blocked: UInt64
    package let ignored: UInt64

    package init(blocked: UInt64, ignored: UInt64) {
        self.blocked = blocked
        self.ignored = ignored
    }
}
