import Testing

@testable import Virtio

@Suite struct DeviceStatusTests {
    @Test("A status is printed by name, unnamed bits by number")
    func names() {
        #expect(DeviceStatus([.acknowledge, .driverOK]).description == "0x5 (ACKNOWLEDGE|DRIVER_OK)")
        #expect(DeviceStatus(rawValue: 0x10).description == "0x10 (bit 4)")
        #expect(DeviceStatus.reset.description == "0x0")
    }
}
