import Testing

@testable import Virtio

@Suite struct NetworkConfigurationTests {
    static let bytes: [UInt8] = [
        0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x03, 0x00, 0x04, 0x01, 0xdc, 0x05,
        0x10, 0x27, 0x00, 0x00, 0x01, 0x28, 0x80, 0x00, 0x3f, 0x00, 0x00, 0x01,
    ]

    static var full: NetworkConfiguration {
        var configuration = NetworkConfiguration(
            mac: MACAddress(0x5254_0012_3456), mtu: 1500, status: [.linkUp, .announce],
            maximumQueuePairs: 0x104)
        configuration.speed = 10_000
        configuration.duplex = 1
        configuration.maximumHashKeySize = 40
        configuration.maximumIndirectionTableLength = 128
        configuration.supportedHashTypes = 0x0100_003f
        return configuration
    }

    @Test("The space is 24 bytes, each field at its offset, little endian (virtio 1.2, 5.1.4)")
    func encode() {
        #expect(NetworkConfigurationTests.full.bytes == NetworkConfigurationTests.bytes)
        #expect(NetworkConfigurationTests.bytes.count == NetworkConfiguration.byteCount)
    }

    @Test("What was written reads back; bytes beyond are ignored", arguments: [0, 1, 100])
    func decode(extra: Int) {
        let bytes = NetworkConfigurationTests.bytes + [UInt8](repeating: 0xff, count: extra)
        #expect(NetworkConfiguration(bytes: bytes) == NetworkConfigurationTests.full)
    }

    @Test(
        "A device with a shorter space leaves the rest at zero",
        arguments: [
            (6, 0, 0, 0), (7, 0, 0, 0), (8, 3, 0, 0), (10, 3, 0x104, 0), (12, 3, 0x104, 1500),
            (15, 3, 0x104, 1500),
        ])
    func short(count: Int, status: UInt16, pairs: UInt16, mtu: UInt16) throws {
        let bytes = Array(NetworkConfigurationTests.bytes.prefix(count))
        let configuration = try #require(NetworkConfiguration(bytes: bytes))
        #expect(configuration.mac == MACAddress(0x5254_0012_3456))
        #expect(configuration.status.rawValue == status)
        #expect(configuration.maximumQueuePairs == pairs)
        #expect(configuration.mtu == mtu)
        #expect(configuration.speed == 0)
    }

    @Test("A space without an address is none", arguments: 0..<6)
    func none(count: Int) {
        #expect(NetworkConfiguration(bytes: Array(NetworkConfigurationTests.bytes.prefix(count))) == nil)
    }

    @Test(
        "An address reads as it is written",
        arguments: ["52:54:00:12:34:56", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "02:0a:0b:0c:0d:0e"])
    func macText(text: String) throws {
        #expect(try #require(MACAddress(text)).description == text)
        #expect(try #require(MACAddress(text.uppercased())).description == text)
    }

    @Test(
        "What is no address is refused",
        arguments: [
            "", "52:54:00:12:34", "52:54:00:12:34:56:78", "5:54:00:12:34:56", "+5:54:00:12:34:56",
            "g0:54:00:12:34:56", "525400123456", "052:54:00:12:34:5",
        ])
    func notMAC(text: String) {
        #expect(MACAddress(text) == nil)
    }

    @Test("Groups and local addresses are told by their bits")
    func macBits() {
        #expect(MACAddress.broadcast.isMulticast)
        #expect(MACAddress(0x0100_5e00_0001).isMulticast)
        #expect(!MACAddress(0x5254_0012_3456).isMulticast)
        #expect(MACAddress(0x5254_0012_3456).isLocal)
        #expect(!MACAddress(0x0010_1812_3456).isLocal)
    }
}
