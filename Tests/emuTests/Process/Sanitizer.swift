import Foundation

/// The sanitizer that `emu` and its tests are built with, as scripts/sanitize tells.
enum Sanitizer {
    /// Whether there is none: its runtime is code in the process that has needs of its own.
    static let isAbsent = ProcessInfo.processInfo.environment["EMU_SANITIZER"] == nil
}
