import Testing

@testable import VirtioNet

@Suite struct NetworkHeaderTests {
    static let bytes: [UInt8] = [1, 4, 0x36, 0, 0xb4, 0x05, 0x22, 0, 0x10, 0, 0x02, 0x01]

    @Test("Every field stands at its offset, little endian (virtio 1.2, 5.1.6)")
    func decode() throws {
        let header = try #require(
            unsafe NetworkHeaderTests.bytes.withUnsafeBytes { unsafe NetworkHeader($0) })
        #expect(header.flags == NetworkHeader.needsChecksum)
        #expect(header.segmentationType == 4)
        #expect(header.headerLength == 0x36)
        #expect(header.segmentSize == 1460)
        #expect(header.checksumStart == 34)
        #expect(header.checksumOffset == 16)
        #expect(header.bufferCount == 0x102)
    }

    @Test("What is written reads as it was, and nothing beyond 12 bytes is touched")
    func encode() throws {
        let header = try #require(
            unsafe NetworkHeaderTests.bytes.withUnsafeBytes { unsafe NetworkHeader($0) })
        var out = [UInt8](repeating: 0xaa, count: 16)
        unsafe out.withUnsafeMutableBytes { unsafe header.write(into: $0) }
        #expect(out == NetworkHeaderTests.bytes + [0xaa, 0xaa, 0xaa, 0xaa])
    }

    @Test("Fewer than 12 bytes are no header", arguments: 0..<12)
    func short(count: Int) {
        let header = unsafe Array(NetworkHeaderTests.bytes[..<count]).withUnsafeBytes {
            unsafe NetworkHeader($0)
        }
        #expect(header == nil)
    }

    @Test("A fresh receive header counts its one buffer at offset 10")
    func receive() {
        var out = [UInt8](repeating: 0xaa, count: 12)
        unsafe out.withUnsafeMutableBytes { unsafe NetworkHeader(bufferCount: 1).write(into: $0) }
        #expect(out == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0])
        #expect(NetworkHeader.bufferCountOffset == 10)
    }
}
