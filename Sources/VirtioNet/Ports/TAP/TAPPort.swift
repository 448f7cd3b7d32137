/// A TAP interface of this machine, in a network namespace of its own perhaps.
struct TAPPort: PortKind {
    static let keyword = "tap"
    static let spelling = "tap:NAME[@NETNS]"
    static let ends: Set<PortEnd> = [.guest, .wire]

    let name: String
    let namespace: String?

    init(name: String, namespace: String?) {
        self.name = name
        self.namespace = namespace
    }

    init(argument: Substring?, in text: String) throws(PortError) {
        guard let argument else { throw PortError.unknown(text) }
        let parts = argument.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        name = String(parts[0])
        guard TAPDevice.isValidName(name) else { throw PortError.badInterfaceName(name, in: text) }
        guard parts.count == 2 else {
            namespace = nil
            return
        }
        let namespace = String(parts[1])
        guard !namespace.isEmpty, namespace != ".", namespace != "..",
            !namespace.contains(where: { $0 == "/" || $0 == "\0" })
        else {
            throw PortError.badNamespace(namespace, in: text)
        }
        self.namespace = namespace
    }

    var description: String { "\(Self.keyword):\(name)" + (namespace.map { "@\($0)" } ?? "") }

    func openWire(_ opening: PortOpening) throws(PortError) -> WirePort { .tap(try attach(opening)) }

    func openGuest(_ opening: PortOpening) throws(PortError) -> GuestPort { .tap(try attach(opening)) }

    /// Attaches to the interface, and says where no frame can pass yet.
    private func attach(_ opening: PortOpening) throws(PortError) -> TAPDevice {
        let device = try TAPDevice(
            name: name, namespace: namespace, hasSeveralQueues: opening.queuePairs > 1)
        let notice = PortSpecification(self).notice(wasMade: device.wasMade, isUp: device.status?.isUp)
        if let notice { opening.notice(notice) }
        return device
    }

    var claims: [PortClaim] { [PortClaim(kind: "TAP", name: identity)] }

    /// Which interface it is, however it is spelled: this process's own namespace has a name, too, as a rule.
    private var identity: String {
        let path = namespace.map { "/run/netns/\($0)" } ?? "/proc/self/ns/net"
        guard let place = FileIdentity(path: path) else { return description }
        return "\(place.device):\(place.inode)/\(name)"
    }

    var leadsOut: Bool { true }

    var hasMoved: Bool { TAPDevice.isMissing(name: name, namespace: namespace) }

    var commandToBringUp: String? {
        "ip \(namespace.map { "-n \($0) " } ?? "")link set \(name) up"
    }
}

extension PortSpecification {
    /// A TAP interface of this machine, in the network namespace `namespace` where one is named.
    package static func tap(name: String, namespace: String?) -> PortSpecification {
        PortSpecification(TAPPort(name: name, namespace: namespace))
    }
}
