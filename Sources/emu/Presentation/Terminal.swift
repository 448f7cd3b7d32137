internal import CLinux
internal import Glibc
internal import SystemPackage

/// A terminal on which a line can be rewritten, as far as this process may and the person there wants it.
struct Terminal: Sendable {
    private let descriptor: FileDescriptor

    init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

    /// Whether somebody watches there who sees a line rewritten, and has not asked for plain text: TERM names no
    /// terminal or one without such abilities, or NO_COLOR is set (no-color.org).
    var canRewrite: Bool {
        guard isatty(descriptor.rawValue) == 1 else { return false }
        let kind = Self.variable("TERM") ?? ""
        return !kind.isEmpty && kind != "dumb" && (Self.variable("NO_COLOR") ?? "").isEmpty
    }

    /// Whether another job has the terminal at this moment.
    var isInBackground: Bool { clinux_is_in_background(descriptor.rawValue) != 0 }

    /// As much of `line` as fits beside the cursor. The width is asked anew: it changes while a command runs.
    func fitting(_ line: String) -> String {
        let columns = Int(clinux_terminal_columns(descriptor.rawValue))
        return String(line.prefix((columns > 0 ? columns : Self.usualColumns) - 1))
    }

    /// The width where a terminal does not say its own.
    private static let usualColumns = 80

    private static func variable(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
