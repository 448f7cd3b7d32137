internal import SystemPackage

/// Another port, with every frame that passes it written to a file in pcapng.
struct CapturePort: PortKind {
    static let keyword = "capture"
    static let spelling = "capture:FILE[,PORT]"
    static let ends: Set<PortEnd> = [.guest, .wire]
    static let note: String? =
        "A capture writes every frame that passes PORT, both ways, to FILE in pcapng, for tshark or Wireshark; without"
        + " PORT that of a generator in the guest and of a loopback on the wire. A file of that name is overwritten, as"
        + " tcpdump -w does it. A disk or a pipe's reader that is too slow breaks the capture off, which is WRONG."

    let path: String
    /// The port behind it, where one is named.
    let inner: PortSpecification?

    init(path: String, inner: PortSpecification? = nil) {
        self.path = path
        self.inner = inner
    }

    init(argument: Substring?, in text: String) throws(PortError) {
        let parts = (argument ?? "").split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, !name.isEmpty else {
            throw PortError(
                code: .badSpecification, errno: nil,
                context: "'\(text)': a capture needs a file: use \(Self.spelling)")
        }
        path = String(name)
        inner = parts.count > 1 ? try Self.inner(String(parts[1]), in: text) : nil
    }

    private static func inner(_ port: String, in text: String) throws(PortError) -> PortSpecification {
        let inner: PortSpecification
        do throws(PortError) {
            inner = try PortSpecification(parsing: port)
        } catch {
            throw PortError(
                code: .badSpecification, errno: nil,
                context: "'\(text)': what follows a comma is the port behind the capture: \(error.context)")
        }
        guard !(inner.kind is CapturePort) else {
            throw PortError(
                code: .badSpecification, errno: nil,
                context:
                    "'\(text)': one capture cannot be inside another: name one file, and the port behind it")
        }
        return inner
    }

    var description: String { "\(Self.keyword):\(path)" + (inner.map { ",\($0)" } ?? "") }

    func carried(at end: PortEnd) -> PortSpecification? {
        if let inner { return inner.carried(at: end) }
        switch end {
        case .guest: return .generator
        case .wire: return .loopback
        }
    }

    func openWire(_ opening: PortOpening) throws(PortError) -> WirePort {
        let port = try (carried(at: .wire) ?? .loopback).kind.openWire(opening)
        return port.recorded(in: try makeFile(.wire, opening))
    }

    func openGuest(_ opening: PortOpening) throws(PortError) -> GuestPort {
        let port = try (carried(at: .guest) ?? .generator).kind.openGuest(opening)
        return port.recorded(in: try makeFile(.guest, opening))
    }

    /// The file, with an interface for each queue pair. What is in it stays until the run has started.
    private func makeFile(_ end: PortEnd, _ opening: PortOpening) throws(PortError) -> CaptureFile {
        let names =
            opening.queuePairs == 1
            ? [end.rawValue] : (0..<opening.queuePairs).map { "\(end.rawValue)\($0)" }
        return try CaptureFile(path: path, interfaces: names)
    }

    var overwrites: String? { path }
    var claims: [PortClaim] { (inner?.claims ?? []) + [PortClaim(kind: "capture file", name: identity)] }
    /// Which file it is, however it is spelled: the one that is there, or a name in the directory that it is to be in.
    private var identity: String {
        if let file = FileIdentity(path: path) { return "\(file.device):\(file.inode)" }
        let name = FilePath(path)
        let folder = name.removingLastComponent().string
        guard let parent = FileIdentity(path: folder.isEmpty ? "." : folder), let last = name.lastComponent
        else { return path }
        return "\(parent.device):\(parent.inode)/\(last.string)"
    }

    var leadsOut: Bool { inner?.leadsOut ?? false }
    var namespace: String? { inner?.namespace }
    var commandToBringUp: String? { inner?.commandToBringUp }
    var hasMoved: Bool { inner?.hasMoved ?? false }
}

extension PortSpecification {
    /// `inner`, or a generator or loopback where none is named, with what passes it written to the file at `path`.
    package static func capture(_ path: String, _ inner: PortSpecification? = nil) -> PortSpecification {
        PortSpecification(CapturePort(path: path, inner: inner))
    }
}
