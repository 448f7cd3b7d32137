import Testing

@testable import Virtio

@Suite struct VirtioFeaturesTests {
    @Test("Features are printed by name, unnamed ones by number")
    func names() {
        #expect(VirtioFeatures([]).description == "0x0")
        #expect(VirtioFeatures([.mac, .version1]).description == "0x100000020 (MAC|VERSION_1)")
        #expect(VirtioFeatures(rawValue: 1 << 2 | 1 << 63).description == "0x8000000000000004 (bit 2|bit 63)")
    }
}
