import Logging
import Testing

@testable import emu

@Suite struct InformationTests {
    private func gather(_ text: String) throws -> DeviceInformation {
        try DeviceInformation.gather(DeviceSpecification(parsing: text), logger: Logger(label: "test"))
    }

    @Test("A simulated device tells what it is")
    func simulated() throws {
        let information = try gather("sim")
        #expect(information.device == "sim")
        #expect(information.deviceID == 1)
        #expect(information.features.names.contains("VERSION_1"))
        #expect(information.features.names.contains("ACCESS_PLATFORM"))
        #expect(information.queues.map(\.index) == [0, 1])
        #expect(information.configuration.byteCount == 24)
        #expect(information.configuration.mac?.split(separator: ":").count == 6)
        #expect(information.configuration.linkUp == true)
    }

    @Test("PERSIST is offered from 6.7 on", arguments: [("sim", true), ("sim,kernel=6.1", false)])
    func persistSince(device: String, offered: Bool) throws {
        #expect(try gather(device).backendFeatures.names.contains("IOTLB_PERSIST") == offered)
    }

    @Test("Names come from the text form of the bits")
    func bitNames() {
        let some = DeviceInformation.Features(bits: 0x104, description: "0x104 (IOTLB_BATCH|IOTLB_PERSIST)")
        #expect(some.bits == "0x104")
        #expect(some.names == ["IOTLB_BATCH", "IOTLB_PERSIST"])
        #expect(DeviceInformation.Features(bits: 0, description: "0x0").names.isEmpty)
    }

    @Test("The JSON reads back to the same information")
    func roundTrip() throws {
        let information = try gather("sim")
        #expect(try DeviceInformation.read(JSONText.encode(information)) == information)
    }

    @Test("The summary shows queues, groups, range and configuration")
    func summary() throws {
        let text = InformationSummary(try gather("sim")).text
        for words in [
            "sim:", "1 (network)", "IOTLB_PERSIST", "2, up to", "queues 0, 1", "0x0 to 0x", "MAC", "up",
        ] {
            #expect(text.contains(words), "\(words) in \(text)")
        }
    }
}
