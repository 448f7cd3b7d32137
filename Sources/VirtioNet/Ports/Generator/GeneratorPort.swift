/// Numbered, checksummed frames, each checked on return (``FrameGenerator``).
struct GeneratorPort: PortKind {
    static let keyword = "generator"
    static let spelling = "generator"
    static let ends: Set<PortEnd> = [.guest]

    init() {}

    init(argument: Substring?, in text: String) throws(PortError) {
        try Self.requireNothing(argument, in: text)
    }

    func openWire(_ opening: PortOpening) throws(PortError) -> WirePort {
        throw PortError.wrongEnd(Self.self, at: .wire)
    }

    func openGuest(_ opening: PortOpening) throws(PortError) -> GuestPort { .generator }
}
