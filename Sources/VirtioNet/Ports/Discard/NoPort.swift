/// Nothing comes in, and what goes out is dropped.
struct NoPort: PortKind {
    static let keyword = "none"
    static let spelling = "none"
    static let ends: Set<PortEnd> = [.guest, .wire]

    init() {}

    init(argument: Substring?, in text: String) throws(PortError) {
        try Self.requireNothing(argument, in: text)
    }

    func openWire(_ opening: PortOpening) throws(PortError) -> WirePort { WirePort.none }

    func openGuest(_ opening: PortOpening) throws(PortError) -> GuestPort { GuestPort.none }
}
