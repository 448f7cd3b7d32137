internal import Glibc
package import VirtioNet

/// Watches the network namespaces that the ports of a machine are in for being deleted.
///
/// A deleted namespace lives on while a TAP in it is attached to: it takes frames without a word, and nobody can reach it
/// any more. What is left of it is its name under /run/netns, or another namespace of that name.
package struct NamespaceWatch {
    private var watched: [(port: PortSpecification, path: String, identity: Identity)] = []

    private struct Identity: Equatable {
        let device: UInt
        let inode: UInt
    }

    /// Looks up the namespaces of `ports` as they are now. Those that cannot be looked up are not watched.
    package init(_ ports: [PortSpecification], folder: String = "/run/netns") {
        for port in ports {
            guard let namespace = port.namespace else { continue }
            let path = "\(folder)/\(namespace)"
            if case .found(let identity) = Self.look(path) { watched.append((port, path, identity)) }
        }
    }

    /// The ports whose namespaces have been deleted since the last time. One stat(2) for each that is left.
    package mutating func newlyDeleted() -> [PortSpecification] {
        let deleted = watched.filter { entry in
            switch Self.look(entry.path) {
            case .found(let identity): identity != entry.identity
            case .missing: true
            case .unknown: false
            }
        }
        if !deleted.isEmpty { watched.removeAll { entry in deleted.contains { $0.port == entry.port } } }
        return deleted.map(\.port)
    }

    /// What is at a path. A call that is refused for another reason, such as a want of memory or a security policy, says
    /// nothing of it.
    private enum Look {
        case found(Identity), missing, unknown
    }

    private static func look(_ path: String) -> Look {
        var information = stat()
        guard unsafe stat(path, &information) != 0 else {
            return .found(Identity(device: UInt(information.st_dev), inode: UInt(information.st_ino)))
        }
        return errno == ENOENT || errno == ENOTDIR ? .missing : .unknown
    }
}
