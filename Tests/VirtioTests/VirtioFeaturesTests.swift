import Testing

@testable import Virtio

@Suite struct VirtioFeaturesTests {
    @Test("Features are printed by name, unnamed ones by number")
    func names() {
        #expect(VirtioFeatures([]).description == "0x0")
        #expect(VirtioFeatures([.mac, .version1]).description == "0x100000020 (MAC|VERSION_1)")
        #expect(VirtioFeatures(rawValue: 1 << 2 | 1 << 63).description == "0x8000000000000004 (bit 2|bit 63)")
        #expect(
            VirtioFeatures(rawValue: 1 << 67 | 1 << 127).description.hasSuffix(
                "(HOST_UDP_TUNNEL_GSO|bit 127)"))
    }

    @Test(
        "A bit beyond the 64 of VHOST_GET_FEATURES is kept, and is not among them", arguments: [64, 65, 127])
    func wide(bit: Int) {
        let features = VirtioFeatures(rawValue: 1 << bit)
        let both = features.union(.version1)
        #expect(both.contains(features) && both.contains(.version1))
        #expect(both.low == 1 << 32)
        #expect(both.subtracting(VirtioFeatures(low: both.low)) == features)
        #expect(VirtioFeatures(low: .max).isDisjoint(with: features))
        #expect(VirtioFeatures(low: .max).low == .max)
    }
}
