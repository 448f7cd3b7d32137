/// What feeds a guest's driver, or what stands at the end of a device's wire, as the command line spells it.
///
/// A value: nothing is opened before ``WirePort/init(opening:queuePairs:notice:)`` or
/// ``GuestPort/init(opening:queuePairs:notice:)``.
package struct PortSpecification: Sendable {
    /// Every kind there is, in the order in which people are told of them.
    static let kinds: [any PortKind.Type] = [
        GeneratorPort.self, LoopbackPort.self, TAPPort.self, CapturePort.self, NoPort.self,
    ]

    let kind: any PortKind

    init(_ kind: any PortKind) { self.kind = kind }

    /// Numbered, checksummed frames, each checked on return.
    package static let generator = PortSpecification(GeneratorPort())
    /// What goes out comes back in.
    package static let loopback = PortSpecification(LoopbackPort())
    /// Nothing comes in, and what goes out is dropped.
    package static let none = PortSpecification(NoPort())

    /// Reads a specification.
    package init(parsing text: String) throws(PortError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let kind = Self.kinds.first(where: { $0.keyword == parts[0] }) else {
            throw PortError.unknown(text)
        }
        self.kind = try kind.init(argument: parts.count > 1 ? parts[1] : nil, in: text)
    }

    /// Throws where the port cannot stand at `end`.
    package func check(at end: PortEnd) throws(PortError) {
        let kind = type(of: carried(at: end).kind)
        guard kind.ends.contains(end) else { throw PortError.wrongEnd(kind, at: end) }
    }

    // MARK: What it is

    /// The port that frames come from and go to: this one, or the one behind it.
    package func carried(at end: PortEnd) -> PortSpecification { kind.carried(at: end) ?? self }

    /// What nobody else can have at the same time.
    package var claims: [PortClaim] { kind.claims }
    /// The file that opening the port overwrites.
    package var overwrites: String? { kind.overwrites }
    /// Whether what goes there leaves this process.
    package var leadsOut: Bool { kind.leadsOut }
    /// The network namespace that the port is in, by its name, where it is in another than this process.
    package var namespace: String? { kind.namespace }
    /// The command that brings the port's interface up; `nil` of one that has none.
    package var commandToBringUp: String? { kind.commandToBringUp }
    /// Whether the interface of a port that is open is no longer where the port names it: it was renamed, moved to another
    /// namespace or deleted. A few system calls, and a short-lived thread where it is in another namespace.
    package var hasMoved: Bool { kind.hasMoved }

    /// What is to be said of a port that has just been attached to: that there was no interface of its name, or that it is
    /// down. `isUp` is `nil` where the interface cannot be asked.
    package func notice(wasMade: Bool, isUp: Bool?) -> String? {
        guard let command = commandToBringUp, wasMade || isUp == false else { return nil }
        let state =
            wasMade ? "there was no such interface, so it was made, and is down" : "the interface is down"
        return "\(self): \(state): no frame passes until '\(command)'"
    }

    // MARK: For people

    /// How each kind is spelled.
    package static var spellings: [String] { kinds.map { $0.spelling } }

    /// What a shell offers for a port at `end`: each kind, up to what somebody fills in.
    package static func completions(at end: PortEnd) -> [String] {
        kinds.filter { $0.ends.contains(end) }.map { $0.keyword + ($0.spelling.contains(":") ? ":" : "") }
    }

    /// What a port can be, as half a sentence with the ends of those that cannot stand at both, and what to know of some.
    package static var help: String {
        let names = kinds.map { kind in
            kind.spelling + (kind.ends.count == 1 ? kind.ends.map { " (\($0.rawValue))" }.joined() : "")
        }
        return "A port is \(PortError.choice(names))."
            + kinds.compactMap { $0.note }.map { " \($0)" }.joined()
    }
}

extension PortSpecification: Hashable, CustomStringConvertible {
    /// The specification as it is written.
    package var description: String { kind.description }

    package static func == (left: Self, right: Self) -> Bool { left.description == right.description }

    package func hash(into hasher: inout Hasher) { hasher.combine(description) }
}
