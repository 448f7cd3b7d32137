internal import GuestMemory
internal import VhostVDPA

extension FixedWidthInteger {
    /// The number's bytes, the lowest first, as x86 has them.
    var littleEndianBytes: [UInt8] {
        (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
    }
}

extension [UInt8] {
    /// The number that the first eight bytes are, the lowest first.
    var littleEndianNumber: UInt64 { prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}

extension ScriptMessage {
    /// The message as `write(2)` takes it (linux/vhost_types.h): 72 bytes.
    func encoded(memory: UInt) -> [UInt8] {
        let asid = version == .second ? addressSpace.rawValue : 0
        let head = version.rawValue.littleEndianBytes + asid.littleEndianBytes
        let body =
            iova.rawValue.littleEndianBytes + size.littleEndianBytes + UInt64(memory).littleEndianBytes
            + [access, kind.rawValue]
        return head + body + [UInt8](repeating: 0, count: 72 - head.count - body.count)
    }
}
