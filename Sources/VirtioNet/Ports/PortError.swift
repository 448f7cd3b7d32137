package import SystemPackage

/// Why a port cannot be opened: what was asked, why it failed and what to do, in one line.
package struct PortError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    package enum Code: Equatable, Sendable {
        /// The text is no port.
        case badSpecification
        /// This version has no such port.
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
    static let known = "use generator, loopback, tap:NAME, tap:NAME@NETNS or none"

    static func unknown(_ text: String) -> PortError {
        PortError(code: .badSpecification, errno: nil, context: "'\(text)' is no port: \(known)")
    }

    static func notYet(_ text: String) -> PortError {
        PortError(
            code: .unsupported, errno: nil, context: "'\(text)': capture files are not supported: \(known)")
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
