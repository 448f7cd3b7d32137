import EmulatedMachine
import SimulatedVDPA
import Testing

@testable import emu

@Suite struct DeviceSpecificationTests {
    @Test("A simulated device is read with its keys")
    func simulated() throws {
        let device = try DeviceSpecification(parsing: "sim,kernel=6.1")
        let simulated = try SimulatedDeviceSpecification(parsing: "sim,kernel=6.1")
        #expect(device.kind == .simulated(simulated))
        #expect(device.isSimulated)
        #expect(device.description == "sim,kernel=6.1")
    }

    @Test("A path is a device file of the kernel's")
    func path() throws {
        let device = try DeviceSpecification(parsing: "/dev/vhost-vdpa-3")
        #expect(device.kind == .file(path: "/dev/vhost-vdpa-3"))
        #expect(!device.isSimulated)
    }

    @Test("fd names an inherited descriptor")
    func descriptor() throws {
        let device = try DeviceSpecification(parsing: "fd:7")
        #expect(device.kind == .descriptor(7))
        #expect(!device.isSimulated)
    }

    @Test("fd takes the number of a descriptor", arguments: ["fd:", "fd:-1", "fd:x", "fd:99999999999"])
    func badDescriptor(text: String) {
        #expect(throws: ArgumentError("fd: takes the number of an open descriptor, as in fd:3")) {
            try DeviceSpecification(parsing: text)
        }
    }

    @Test(
        "Any other text is refused with the forms that are accepted",
        arguments: ["", "simulated", "vhost-vdpa-0", "SIM"])
    func otherText(text: String) {
        #expect(throws: ArgumentError("use sim[,key=value]…, the path of a /dev/vhost-vdpa-N, or fd:N")) {
            try DeviceSpecification(parsing: text)
        }
    }

    @Test("A simulated device that cannot exist is refused with its reason")
    func impossibleDevice() {
        let error = #expect(throws: ArgumentError.self) {
            try DeviceSpecification(parsing: "sim,kernel=6.1,reset-map=on")
        }
        #expect(error?.description.contains(".reset_map came with Linux 6.7") == true)
    }
}
