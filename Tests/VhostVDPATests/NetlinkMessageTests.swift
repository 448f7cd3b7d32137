import Testing

@testable import VhostVDPA

@Suite("Netlink messages")
struct NetlinkMessageTests {
    @Test("a request is a header, a command and padded attributes")
    func request() {
        let message = NetlinkMessage(
            type: 16, command: 3, attributes: [.string(2, "vdpa"), .word(17, 0x0102_0304)])
        #expect(
            message.encoded == bytes(UInt32(40)) + bytes(UInt16(16), 1) + bytes(UInt32(0), 0) + [3, 1, 0, 0]
                + bytes(UInt16(9), 2) + Array("vdpa".utf8) + [0, 0, 0, 0]
                + bytes(UInt16(8), 17) + [4, 3, 2, 1])
    }

    @Test("an answer's counters are read by name, whatever stands between them")
    func answer() throws {
        let attributes: [NetlinkMessage.Attribute] = [
            .string(4, "vdpa0"), .word(17, 1), .string(18, "rx overruns"),
            .init(type: 19, payload: bytes(UInt64(7))), .init(type: 0, payload: []),
            .string(18, "rx packets"), .init(type: 19, payload: bytes(UInt64(1) << 40)),
        ]
        let sent = NetlinkMessage(type: 30, command: 7, attributes: attributes)
        let message = try #require(NetlinkMessage(decoding: sent.encoded))
        #expect(message == sent)
        let statistics = VendorStatistics(message.attributes)
        #expect(statistics.counters == ["rx overruns": 7, "rx packets": 1 << 40])
        #expect(statistics["rx errors"] == 0)
    }

    @Test("a value without a name of its own is no counter's")
    func nameless() {
        let value = NetlinkMessage.Attribute(type: 19, payload: bytes(UInt64(7)))
        let other = NetlinkMessage.Attribute(type: 19, payload: bytes(UInt64(9)))
        #expect(
            VendorStatistics([value, .string(18, "rx packets"), value, other]).counters == ["rx packets": 7])
    }

    @Test("an error carries the kernel's number")
    func error() throws {
        let data =
            bytes(UInt32(36)) + bytes(UInt16(2), 0) + bytes(UInt32(0), 0) + bytes(Int32(-95))
            + [UInt8](repeating: 0, count: 16)
        #expect(try #require(NetlinkMessage(decoding: data)).errno == 95)
    }

    @Test("what is cut short or contradicts itself is no message")
    func malformed() {
        let whole = NetlinkMessage(type: 30, command: 7, attributes: [.word(17, 1)]).encoded
        for count in 0..<whole.count { #expect(NetlinkMessage(decoding: Array(whole.prefix(count))) == nil) }
        var long = whole
        long[20] = 200
        #expect(NetlinkMessage(decoding: long) == nil)
        var short = whole
        short[20] = 3
        #expect(NetlinkMessage(decoding: short) == nil)
    }
}
