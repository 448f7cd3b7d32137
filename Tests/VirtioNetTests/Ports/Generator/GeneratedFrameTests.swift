import Testing
import Virtio

@testable import VirtioNet

@Suite struct GeneratedFrameTests {
    static let device = MACAddress(0x5254_00ab_cdef)
    static let peer = MACAddress(0x0200_0000_0001)
    static let codec = GeneratedFrame(destination: device, source: peer, run: 0x1234_5678)

    static func frame(_ sequence: UInt64, length: Int, codec: GeneratedFrame = codec) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xee, count: length)
        unsafe bytes.withUnsafeMutableBytes { unsafe codec.write(into: $0, sequence: sequence) }
        return bytes
    }

    static func verify(_ bytes: [UInt8], codec: GeneratedFrame = codec) -> FrameVerdict {
        unsafe bytes.withUnsafeBytes { unsafe codec.verify($0) }
    }

    @Test(
        "A frame comes back with its number",
        arguments: [60, 61, 63, 64, 65, 71, 72, 73, 104, 128, 1500, 1514, 9014, 65_535],
        [0, 1, 0xffff_ffff, 0x1_0000_0000, .max] as [UInt64])
    func roundTrip(length: Int, sequence: UInt64) {
        #expect(
            GeneratedFrameTests.verify(GeneratedFrameTests.frame(sequence, length: length))
                == .intact(sequence: sequence))
    }

    @Test("The Ethernet header is on the wire as the standard has it")
    func ethernet() {
        let bytes = GeneratedFrameTests.frame(1, length: 60)
        #expect(Array(bytes[0..<6]) == [0x52, 0x54, 0x00, 0xab, 0xcd, 0xef])
        #expect(Array(bytes[6..<12]) == [0x02, 0, 0, 0, 0, 0x01])
        #expect(Array(bytes[12..<14]) == [0x88, 0xb5])
    }

    @Test("The numbers stand where the documentation says, little endian")
    func layout() {
        let bytes = GeneratedFrameTests.frame(0x0102_0304_0506_0708, length: 1514)
        #expect(Array(bytes[16..<20]) == [0x78, 0x56, 0x34, 0x12])
        #expect(Array(bytes[20..<24]) == [0xea, 0x05, 0, 0])
        #expect(Array(bytes[24..<32]) == [8, 7, 6, 5, 4, 3, 2, 1])
    }

    @Test("A change of any one bit is found", arguments: [60, 61, 62, 63, 64, 65, 66, 75, 140])
    func bitFlips(length: Int) {
        let good = GeneratedFrameTests.frame(77, length: length)
        for bit in 0..<length * 8 {
            var bytes = good
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(GeneratedFrameTests.verify(bytes) == .corrupted, "bit \(bit)")
        }
    }

    @Test("Every byte of the frame is written", arguments: [60, 61, 67, 100, 1514])
    func wholeFrame(length: Int) {
        var other = [UInt8](repeating: 0x11, count: length)
        unsafe other.withUnsafeMutableBytes { unsafe GeneratedFrameTests.codec.write(into: $0, sequence: 5) }
        #expect(other == GeneratedFrameTests.frame(5, length: length))
    }

    @Test(
        "Two words that change places are found; only the one that marks the frame as ours makes it foreign",
        arguments: [64, 256])
    func swaps(length: Int) {
        let good = GeneratedFrameTests.frame(9, length: length)
        for first in stride(from: 0, to: length - 8, by: 8) {
            for second in stride(from: first + 8, to: length, by: 8) {
                var bytes = good
                for byte in 0..<8 { bytes.swapAt(first + byte, second + byte) }
                let expected: FrameVerdict = first == 8 || second == 8 ? .foreign : .corrupted
                #expect(GeneratedFrameTests.verify(bytes) == expected, "\(first) and \(second)")
            }
        }
    }

    @Test("A frame that is cut or lengthened is found", arguments: [-1454, -100, -8, -4, -1, 1, 4, 8, 100])
    func lengths(change: Int) {
        let good = GeneratedFrameTests.frame(3, length: 1514)
        let bytes = change < 0 ? Array(good.dropLast(-change)) : good + [UInt8](repeating: 0, count: change)
        #expect(GeneratedFrameTests.verify(bytes) == .corrupted)
    }

    @Test("The tail of another frame is found: stale memory shows")
    func stale() {
        let bytes = GeneratedFrameTests.frame(10, length: 256)
        let before = GeneratedFrameTests.frame(9, length: 256)
        for cut in stride(from: 64, to: 256, by: 8) {
            #expect(GeneratedFrameTests.verify(Array(bytes[..<cut] + before[cut...])) == .corrupted)
        }
    }

    @Test("What somebody else sent is foreign, not corrupted")
    func foreign() {
        let otherRun = GeneratedFrame(
            destination: GeneratedFrameTests.device, source: GeneratedFrameTests.peer, run: 1)
        let otherStation = GeneratedFrame(
            destination: .broadcast, source: GeneratedFrameTests.peer, run: 0x1234_5678)
        let arp: [UInt8] =
            [UInt8](repeating: 0xff, count: 6) + GeneratedFrameTests.peer.octets + [
                0x08, 0x06, 0, 1, 8, 0, 6, 4,
            ]
            + [UInt8](repeating: 0, count: 40)
        #expect(
            GeneratedFrameTests.verify(GeneratedFrameTests.frame(1, length: 64, codec: otherRun)) == .foreign)
        #expect(
            GeneratedFrameTests.verify(GeneratedFrameTests.frame(1, length: 64, codec: otherStation))
                == .foreign)
        #expect(GeneratedFrameTests.verify(arp) == .foreign)
        #expect(GeneratedFrameTests.verify([UInt8](repeating: 0, count: 64)) == .foreign)
    }

    @Test("What is too short to say is foreign, and nothing beyond it is read", arguments: 0..<16)
    func tooShort(length: Int) {
        // Under AddressSanitizer a read beyond the array ends the test.
        #expect(
            GeneratedFrameTests.verify(Array(GeneratedFrameTests.frame(1, length: 60)[..<length])) == .foreign
        )
    }

    @Test("A length that no frame has is refused", arguments: [0, 59, 65_536])
    func badLength(length: Int) async {
        await #expect(processExitsWith: .failure) { [length] in
            _ = GeneratedFrameTests.frame(0, length: length)
        }
    }
}
