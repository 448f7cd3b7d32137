/// An Ethernet address, kept as the six octets on the wire.
public struct MACAddress: Equatable, Hashable, Sendable, CustomStringConvertible {
    /// The octets in the low 48 bits, the first on the wire uppermost.
    @usableFromInline let value: UInt64

    /// Makes an address of a number.
    ///
    /// - Parameter value: the octets in the low 48 bits, the first on the wire uppermost; the rest is ignored.
    @inlinable
    public init(_ value: UInt64) {
        self.value = value & 0xffff_ffff_ffff
    }

    /// Reads six octets, first on the wire first.
    ///
    /// - Precondition: there are six.
    public init(octets: some Collection<UInt8>) {
        precondition(octets.count == 6, "an Ethernet address has six octets")
        value = octets.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Reads `xx:xx:xx:xx:xx:xx`, with two hexadecimal digits to an octet. `nil` for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6 else { return nil }
        var octets: [UInt8] = []
        for part in parts {
            guard part.utf8.count == 2, part.allSatisfy(\.isHexDigit), let octet = UInt8(part, radix: 16)
            else {
                return nil
            }
            octets.append(octet)
        }
        self.init(octets: octets)
    }

    /// Every station.
    @inlinable public static var broadcast: MACAddress { MACAddress(0xffff_ffff_ffff) }

    /// The octets, first on the wire first.
    public var octets: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: value >> (40 - 8 * UInt64($0))) } }

    /// Whether it names a group of stations; broadcast does.
    @inlinable public var isMulticast: Bool { value >> 40 & 1 != 0 }

    /// Whether it was given out locally, not by a vendor.
    @inlinable public var isLocal: Bool { value >> 41 & 1 != 0 }

    /// `xx:xx:xx:xx:xx:xx`, in lower case.
    public var description: String {
        octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}
