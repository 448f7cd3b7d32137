/// One kind of port: how it is spelled, at which ends of a device it can stand, and how it opens there.
///
/// A new kind is a type that conforms, in a folder of its own beside these, and a line in ``PortSpecification/kinds``:
/// the command line, its errors and its help have it from there (docs/extending.md).
protocol PortKind: Sendable, CustomStringConvertible {
    /// What it begins with, up to a colon where something follows.
    static var keyword: String { get }
    /// How it is spelled, for people: capitals stand for what they fill in, brackets for what may be left out.
    static var spelling: String { get }
    /// The ends that it can stand at.
    static var ends: Set<PortEnd> { get }
    /// What somebody should know who asks for help, as a sentence.
    static var note: String? { get }

    /// Reads what stands behind the keyword's colon, `nil` where there is no colon. `text` is all of it, for errors.
    ///
    /// - Throws: ``PortError/Code/badSpecification``.
    init(argument: Substring?, in text: String) throws(PortError)

    /// Opens the port at the end of a device's wire. Asked only where that is one of ``ends``.
    func openWire(_ opening: PortOpening) throws(PortError) -> WirePort
    /// Opens the port in a guest. Asked only where that is one of ``ends``.
    func openGuest(_ opening: PortOpening) throws(PortError) -> GuestPort

    /// The port behind this one that frames come from and go to; `nil` where that is this one.
    func carried(at end: PortEnd) -> PortSpecification?
    /// What nobody else can have at the same time.
    var claims: [PortClaim] { get }
    /// The file that opening the port overwrites.
    var overwrites: String? { get }
    /// Whether what goes there leaves this process.
    var leadsOut: Bool { get }
    /// The name of the network namespace that the port is in, where it is in another than this process.
    var namespace: String? { get }
    /// The command that brings the port's interface up, where it has one.
    var commandToBringUp: String? { get }
    /// Whether the port's interface, while it is open, is no longer where the port names it.
    var hasMoved: Bool { get }
}

extension PortKind {
    static var note: String? { nil }
    func carried(at end: PortEnd) -> PortSpecification? { nil }
    var claims: [PortClaim] { [] }
    var overwrites: String? { nil }
    var leadsOut: Bool { false }
    var namespace: String? { nil }
    var commandToBringUp: String? { nil }
    var hasMoved: Bool { false }

    /// How it is written: the keyword, where nothing follows it.
    var description: String { Self.keyword }

    /// Where there is only the keyword.
    static func requireNothing(_ argument: Substring?, in text: String) throws(PortError) {
        if argument != nil { throw PortError.unknown(text) }
    }
}

/// An end of a device: the guest that drives it, or the wire that it is on.
package enum PortEnd: String, CaseIterable, Sendable {
    case guest, wire
}

/// Something that one port at a time can have, such as an interface.
package struct PortClaim: Hashable, Sendable {
    /// What it is, as in "one TAP".
    package let kind: String
    package let name: String
}

/// What a port is opened with.
struct PortOpening {
    /// How many queue pairs it must carry.
    let queuePairs: Int
    /// Takes what whoever opens the port should know, a line each.
    let notice: (String) -> Void
}
