/// What a port of the device or of the guest is connected to, as the command line spells it:
/// `generator | loopback | tap:NAME | tap:NAME@NETNS | none`.
package enum PortSpecification: Hashable, Sendable, CustomStringConvertible {
    /// Numbered, checksummed frames, each checked on return.
    case generator
    /// What goes out comes back in.
    case loopback
    /// A TAP interface of this machine, in the network namespace `namespace` where one is named.
    case tap(name: String, namespace: String?)
    /// Nothing comes in, and what goes out is dropped.
    case none

    /// Reads a specification.
    package init(parsing text: String) throws(PortError) {
        switch text {
        case "generator": self = .generator
        case "loopback": self = .loopback
        case "none": self = .none
        default:
            guard let colon = text.firstIndex(of: ":") else { throw PortError.unknown(text) }
            let argument = text[text.index(after: colon)...]
            switch text[..<colon] {
            case "tap": self = try PortSpecification.tap(argument, in: text)
            case "pcap": throw PortError.notYet(text)
            default: throw PortError.unknown(text)
            }
        }
    }

    private static func tap(_ argument: Substring, in text: String) throws(PortError) -> PortSpecification {
        let parts = argument.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard TAPDevice.isValidName(name) else { throw PortError.badInterfaceName(name, in: text) }
        guard parts.count == 2 else { return .tap(name: name, namespace: nil) }
        let namespace = String(parts[1])
        guard !namespace.isEmpty, namespace != ".", namespace != "..",
            !namespace.contains(where: { $0 == "/" || $0 == "\0" })
        else {
            throw PortError.badNamespace(namespace, in: text)
        }
        return .tap(name: name, namespace: namespace)
    }

    /// The specification as it is written.
    package var description: String {
        switch self {
        case .generator: "generator"
        case .loopback: "loopback"
        case .tap(let name, let namespace): "tap:\(name)" + (namespace.map { "@\($0)" } ?? "")
        case .none: "none"
        }
    }
}
