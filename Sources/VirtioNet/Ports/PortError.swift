package import SystemPackage

/// Why a port cannot be opened: what was asked, why it failed and what to do, in one line.
package struct PortError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    package enum Code: Equatable, Sendable {
        /// The text is no port.
        case badSpecification
        /// There is no such port at this end.
        case unsupported
        /// There is no /dev/net/tun.
        case noTUN
        /// The process may not do it.
        case noPrivilege
        /// The interface is attached to somebody else, or is no TAP.
        case busy
        /// The namespace does not exist.
        case noNamespace
        /// The file of a capture cannot be written.
        case capture
        /// Anything else; the errno says what.
        case system
    }

    /// The kind of failure.
    package let code: Code
    /// The kernel's answer, where the kernel was asked.
    package let errno: Errno?
    /// The line for the user.
    package let context: String

    package init(code: Code, errno: Errno?, context: String) {
        self.code = code
        self.errno = errno
        self.context = context
    }

    package var description: String { errno.map { "\(context) (\($0))" } ?? context }
}

extension PortError {
    static func unknown(_ text: String) -> PortError {
        PortError(
            code: .badSpecification, errno: nil,
            context: "'\(text)' is no port: use \(choice(PortSpecification.spellings))")
    }

    static func wrongEnd(_ kind: any PortKind.Type, at end: PortEnd) -> PortError {
        let others = PortSpecification.kinds.filter { $0.ends.contains(end) }.map { $0.spelling }
        let owner = kind.ends.map(\.rawValue).joined(separator: " and the ")
        return PortError(
            code: .unsupported, errno: nil,
            context: "the \(kind.keyword) is the \(owner)'s; use \(choice(others))")
    }

    /// As in "a, b or c".
    static func choice(_ names: [String]) -> String {
        guard let last = names.last, names.count > 1 else { return names.joined() }
        return names.dropLast().joined(separator: ", ") + " or \(last)"
    }

    static func capture(_ path: String, _ words: String, _ errno: Errno?) -> PortError {
        PortError(code: .capture, errno: errno, context: "capture file '\(path)': \(words)")
    }

    static func badInterfaceName(_ name: String, in text: String) -> PortError {
        PortError(
            code: .badSpecification, errno: nil,
            context: "'\(text)': '\(name)' cannot name an interface: 1 to \(TAPDevice.maximumNameLength) "
                + "bytes without '/', ':', '%' or white space"
        )
    }

    static func badNamespace(_ name: String, in text: String) -> PortError {
        PortError(
            code: .badSpecification, errno: nil,
            context: "'\(text)': '\(name)' cannot name a network namespace: see 'ip netns list'"
        )
    }
}
