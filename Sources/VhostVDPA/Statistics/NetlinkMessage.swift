/// A generic netlink request or answer as bytes: header, command, attributes (linux/netlink.h,
/// linux/genetlink.h). The host's byte order, which is little-endian wherever vDPA runs.
struct NetlinkMessage: Equatable {
    /// One attribute: a type and its bytes.
    struct Attribute: Equatable {
        let type: UInt16
        let payload: [UInt8]

        /// The bytes as a number of up to eight, the lowest first.
        var number: UInt64 { payload.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) } }

        /// The bytes up to the zero that ends a string.
        var text: String { String(decoding: payload.prefix { $0 != 0 }, as: UTF8.self) }

        /// A string with its zero.
        static func string(_ type: UInt16, _ text: String) -> Attribute {
            Attribute(type: type, payload: Array(text.utf8) + [0])
        }

        /// A number of four bytes.
        static func word(_ type: UInt16, _ number: UInt32) -> Attribute {
            Attribute(type: type, payload: bytes(number))
        }
    }

    /// `NLMSG_ERROR`: an answer that carries −errno and nothing else.
    static let error: UInt16 = 2

    /// The family's number, or a control type.
    let type: UInt16
    /// The family's command; 0 in an error.
    let command: UInt8
    let attributes: [Attribute]
    /// The errno of an error; 0 is an acknowledgement.
    var errno: Int32 = 0

    private static let headerByteCount = 16
    private static let genericByteCount = 4

    init(type: UInt16, command: UInt8, attributes: [Attribute]) {
        self.type = type
        self.command = command
        self.attributes = attributes
    }

    /// The request as the kernel takes it.
    var encoded: [UInt8] {
        var body: [UInt8] = [command, 1, 0, 0]
        for attribute in attributes {
            body += bytes(UInt16(4 + attribute.payload.count)) + bytes(attribute.type) + attribute.payload
            body += [UInt8](repeating: 0, count: -attribute.payload.count & 3)
        }
        let isRequest: UInt16 = 1
        return bytes(UInt32(Self.headerByteCount + body.count)) + bytes(type) + bytes(isRequest)
            + bytes(UInt32(0)) + bytes(UInt32(0)) + body
    }

    /// The first message in `data`, or `nil` where it is cut short or its lengths do not fit.
    init?(decoding data: [UInt8]) {
        guard data.count >= Self.headerByteCount else { return nil }
        let length = Int(Attribute(type: 0, payload: Array(data[0..<4])).number)
        guard length >= Self.headerByteCount + Self.genericByteCount, length <= data.count else { return nil }
        type = UInt16(Attribute(type: 0, payload: Array(data[4..<6])).number)
        var rest = data[Self.headerByteCount..<length]
        if type == Self.error {
            let word = UInt32(Attribute(type: 0, payload: Array(rest.prefix(4))).number)
            errno = 0 &- Int32(bitPattern: word)
            command = 0
            attributes = []
            return
        }
        command = rest[rest.startIndex]
        rest = rest.dropFirst(Self.genericByteCount)
        var found: [Attribute] = []
        while rest.count >= 4 {
            let start = rest.startIndex
            let size = Int(rest[start]) | Int(rest[start + 1]) << 8
            guard size >= 4, size <= rest.count else { return nil }
            // The two highest bits are flags (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
            let type = (UInt16(rest[start + 2]) | UInt16(rest[start + 3]) << 8) & 0x3fff
            found.append(Attribute(type: type, payload: Array(rest[start + 4..<start + size])))
            rest = rest.dropFirst((size + 3) & ~3)
        }
        attributes = found
    }
}

/// The bytes of a number, the lowest first.
private func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
}
