/// What goes out comes back in.
struct LoopbackPort: PortKind {
    static let keyword = "loopback"
    static let spelling = "loopback"
    static let ends: Set<PortEnd> = [.wire]

    init() {}

    init(argument: Substring?, in text: String) throws(PortError) {
        try Self.requireNothing(argument, in: text)
    }

    func openWire(_ opening: PortOpening) throws(PortError) -> WirePort { .loopback }

    func openGuest(_ opening: PortOpening) throws(PortError) -> GuestPort {
        throw PortError.wrongEnd(Self.self, at: .guest)
    }
}
