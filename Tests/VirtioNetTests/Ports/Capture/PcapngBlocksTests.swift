import Testing

@testable import VirtioNet

@Suite("A block of a pcapng file, byte for byte") struct PcapngBlocksTests {
    @Test("of a section says the byte order, version 1.0, no length, and who wrote it")
    func section() {
        #expect(
            PcapngBlocks.sectionHeader(application: "emu") == [
                0x0a, 0x0d, 0x0d, 0x0a, 40, 0, 0, 0,
                0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                4, 0, 3, 0, 0x65, 0x6d, 0x75, 0, 0, 0, 0, 0,
                40, 0, 0, 0,
            ])
    }

    @Test("of an interface says Ethernet, its name and that times are in nanoseconds")
    func interface() {
        #expect(
            PcapngBlocks.interface(name: "wire0") == [
                1, 0, 0, 0, 44, 0, 0, 0,
                1, 0, 0, 0, 0, 0, 4, 0,
                2, 0, 5, 0, 0x77, 0x69, 0x72, 0x65, 0x30, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0,
                44, 0, 0, 0,
            ])
    }

    /// The block of a packet whose bytes count from 1, in memory that was full of something else.
    private func block(_ packet: PcapngBlocks.Packet) -> [UInt8] {
        var bytes = [UInt8](
            repeating: 0xee, count: PcapngBlocks.packetByteCount(captured: packet.captured) + 4)
        for index in 0..<packet.captured { bytes[PcapngBlocks.packetDataOffset + index] = UInt8(index + 1) }
        unsafe bytes.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            unsafe PcapngBlocks.write(packet, at: start)
        }
        return bytes
    }

    @Test("of a packet has its interface, time, lengths, bytes with padding and direction, and ends there")
    func packet() {
        let packet = PcapngBlocks.Packet(
            interface: 3, direction: .outbound, time: 0x1122_3344_5566_7788, captured: 5, original: 9)
        #expect(
            block(packet) == [
                6, 0, 0, 0, 52, 0, 0, 0, 3, 0, 0, 0,
                0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55, 5, 0, 0, 0, 9, 0, 0, 0,
                1, 2, 3, 4, 5, 0, 0, 0,
                2, 0, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0,
                52, 0, 0, 0,
                0xee, 0xee, 0xee, 0xee,
            ])
    }

    @Test("of a packet is padded to four bytes, and not where it ends on them", arguments: [1, 2, 3, 4, 8])
    func padding(captured: Int) {
        let packet = PcapngBlocks.Packet(
            interface: 0, direction: .inbound, time: 0, captured: captured, original: captured)
        let bytes = block(packet)
        let padded = (captured + 3) / 4 * 4
        #expect(bytes.count == 44 + padded + 4)
        #expect(bytes[28 + captured..<28 + padded].allSatisfy { $0 == 0 })
        #expect(Array(bytes[28 + padded..<28 + padded + 8]) == [2, 0, 4, 0, 1, 0, 0, 0])
        #expect(bytes.suffix(4) == [0xee, 0xee, 0xee, 0xee])
    }

    @Test(
        "is whole only to its last byte: what a broken-off write has left is counted up to the last such one")
    func whole() {
        let first = PcapngBlocks.interface(name: "a")
        let blocks = first + PcapngBlocks.interface(name: "wire0")
        unsafe blocks.withUnsafeBytes { bytes in
            for (limit, expected) in [
                (0, (0, 0)), (first.count - 1, (0, 0)), (first.count, (1, first.count)),
                (blocks.count - 1, (1, first.count)), (blocks.count, (2, blocks.count)),
            ] {
                let found = unsafe PcapngBlocks.wholeBlocks(of: bytes, within: limit)
                #expect(found == expected, "within \(limit)")
            }
        }
    }
}
