/// The blocks of a pcapng file, little endian (draft-ietf-opsawg-pcapng, sections 3 and 4).
///
/// A block is its type, its length, a body that ends on a multiple of four bytes, and its length once more. A reader
/// tells the byte order by the section's header, and skips what it does not know.
package enum PcapngBlocks {
    /// How an interface saw a packet: the lowest bits of `epb_flags` (section 4.3.1).
    package enum Direction: UInt32, BitwiseCopyable, Sendable {
        case inbound = 1
        case outbound = 2
    }

    /// Numbers that the format assigns.
    private enum BlockType {
        static var sectionHeader: UInt32 { 0x0a0d_0d0a }
        static var interface: UInt32 { 1 }
        static var enhancedPacket: UInt32 { 6 }
    }

    private enum OptionCode {
        static var end: UInt16 { 0 }
        static var interfaceName: UInt16 { 2 }
        static var packetFlags: UInt16 { 2 }
        static var application: UInt16 { 4 }
        static var timestampResolution: UInt16 { 9 }
    }

    /// LINKTYPE_ETHERNET.
    private static var ethernet: UInt16 { 1 }
    /// The most bytes of a packet that a reader must have room for, as tcpdump says it; longer than any frame.
    private static var snapLength: UInt32 { 262_144 }
    /// Timestamps count nanoseconds: a negative power of ten.
    private static var nanoseconds: UInt8 { 9 }

    // MARK: What a file begins with

    /// The header of a section whose length is not said, since more comes until the file ends.
    static func sectionHeader(application: String) -> [UInt8] {
        let magic: UInt32 = 0x1a2b_3c4d
        return block(
            BlockType.sectionHeader,
            bytes(magic) + bytes(UInt16(1)) + bytes(UInt16(0)) + bytes(UInt64.max)
                + option(OptionCode.application, Array(application.utf8)) + end)
    }

    /// An Ethernet interface, whose number in the section is that of its block among those of its kind.
    static func interface(name: String) -> [UInt8] {
        block(
            BlockType.interface,
            bytes(ethernet) + bytes(UInt16(0)) + bytes(snapLength)
                + option(OptionCode.interfaceName, Array(name.utf8))
                + option(OptionCode.timestampResolution, [nanoseconds]) + end)
    }

    private static func block(_ type: UInt32, _ body: [UInt8]) -> [UInt8] {
        let length = UInt32(body.count + 12)
        return bytes(type) + bytes(length) + body + bytes(length)
    }

    private static func option(_ code: UInt16, _ value: [UInt8]) -> [UInt8] {
        bytes(code) + bytes(UInt16(value.count)) + value
            + [UInt8](repeating: 0, count: padded(value.count) - value.count)
    }

    private static var end: [UInt8] { bytes(OptionCode.end) + bytes(UInt16(0)) }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    // MARK: A packet

    /// What a packet's block says of it.
    struct Packet: BitwiseCopyable {
        let interface: UInt32
        let direction: Direction
        /// Nanoseconds since 1970.
        let time: UInt64
        /// How many of its bytes are in the file.
        let captured: Int
        /// How many it has.
        let original: Int
    }

    /// Where a packet's bytes stand in its block.
    @inline(__always)
    static var packetDataOffset: Int { 28 }

    /// How long the block of a packet is of which `captured` bytes are in the file.
    @inline(__always)
    static func packetByteCount(captured: Int) -> Int { packetDataOffset &+ padded(captured) &+ 16 }

    /// Writes the block of a packet around its bytes, which the caller puts ``packetDataOffset`` from `start`: there must
    /// be room for ``packetByteCount(captured:)``.
    @inline(__always)
    static func write(_ packet: Packet, at start: UnsafeMutableRawPointer) {
        let length = UInt32(truncatingIfNeeded: packetByteCount(captured: packet.captured))
        unsafe store(BlockType.enhancedPacket, at: start)
        unsafe store(length, at: start + 4)
        unsafe store(packet.interface, at: start + 8)
        unsafe store(UInt32(truncatingIfNeeded: packet.time >> 32), at: start + 12)
        unsafe store(UInt32(truncatingIfNeeded: packet.time), at: start + 16)
        unsafe store(UInt32(truncatingIfNeeded: packet.captured), at: start + 20)
        unsafe store(UInt32(truncatingIfNeeded: packet.original), at: start + 24)
        for offset in packet.captured..<padded(packet.captured) {
            unsafe start.storeBytes(of: 0, toByteOffset: packetDataOffset &+ offset, as: UInt8.self)
        }
        let end = unsafe start + packetDataOffset + padded(packet.captured)
        unsafe store(UInt32(OptionCode.packetFlags) | 4 << 16, at: end)
        unsafe store(packet.direction.rawValue, at: end + 4)
        unsafe store(0, at: end + 8)
        unsafe store(length, at: end + 12)
    }

    /// How many whole blocks the first `limit` bytes of `blocks` hold, and how many bytes those have. `blocks` begins
    /// with a block.
    static func wholeBlocks(
        of blocks: UnsafeRawBufferPointer, within limit: Int
    ) -> (count: Int, bytes: Int) {
        var (count, offset) = (0, 0)
        while offset + 8 <= limit {
            let length = unsafe Int(
                UInt32(littleEndian: blocks.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)))
            guard length >= 12, offset + length <= limit else { break }
            offset += length
            count += 1
        }
        return (count, offset)
    }

    /// How long the first of `blocks` is, which has its length within.
    static func firstBlockByteCount(of blocks: UnsafeRawBufferPointer) -> Int {
        unsafe Int(UInt32(littleEndian: blocks.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
    }

    @inline(__always)
    private static func store(_ value: UInt32, at address: UnsafeMutableRawPointer) {
        unsafe address.storeBytes(of: value.littleEndian, as: UInt32.self)
    }

    @inline(__always)
    private static func padded(_ count: Int) -> Int { (count &+ 3) & ~3 }
}
