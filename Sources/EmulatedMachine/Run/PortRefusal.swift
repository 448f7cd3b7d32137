internal import SystemPackage
package import VirtioNet

/// A port that took no frame, or gave none, and why: what somebody who watches a run is told when it happens.
package struct PortRefusal: Hashable, Sendable {
    /// The port, as the machine's configuration names it.
    package let port: PortSpecification
    /// What the kernel answered.
    package let errno: Int32
    /// Whether the port's interface was no longer where the port names it.
    package let hasMoved: Bool

    package init(port: PortSpecification, errno: Int32, hasMoved: Bool = false) {
        self.port = port
        self.errno = errno
        self.hasMoved = hasMoved
    }

    /// What a TAP answers once its interface has been deleted (drivers/net/tun.c).
    private static let gone = Errno(rawValue: 77)  // EBADFD

    /// The answer, what it means, and what to do.
    package var reason: String { "\(Errno(rawValue: errno))" + (remedy.map { ": \($0)" } ?? "") }

    private var remedy: String? {
        guard let command = port.commandToBringUp else { return nil }
        switch Errno(rawValue: errno) {
        case .ioError where hasMoved:
            return
                "the interface is down, and there is none of its name any more: it was renamed, moved to another namespace or"
                + " deleted; bring it up where it is now, or make it again and run anew"
        case .ioError: return "the interface is down; bring it up with '\(command)'"
        case Self.gone:
            return
                "the interface is gone, it or its network namespace was deleted; make it again and run anew"
        default: return nil
        }
    }
}

extension PortRefusal: CustomStringConvertible {
    package var description: String {
        "\(port): \(reason)"
    }
}
