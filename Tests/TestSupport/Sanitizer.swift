internal import Foundation

/// The sanitizer that `emu` and its tests are built with, as scripts/test --sanitize tells. Its runtime is code in the process
/// that has needs of its own.
package enum Sanitizer: String {
    case address, thread

    /// `nil` in a build without.
    package static let current = ProcessInfo.processInfo.environment["EMU_SANITIZER"].flatMap(
        Sanitizer.init(rawValue:))
}
