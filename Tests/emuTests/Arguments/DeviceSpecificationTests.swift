import EmulatedMachine
import SimulatedVDPA
import Testing

@testable import emu

@Suite struct DeviceSpecificationTests {
    @Test func `A simulated device is read with its keys`() throws {
        let device = try DeviceSpecification(parsing: "sim,kernel=6.1")
        let simulated = try SimulatedDeviceSpecification(parsing: "sim,kernel=6.1")
        #expect(device.kind == .simulated(simulated))
        #expect(device.isSimulated)
        #expect(device.description == "sim,kernel=6.1")
    }

    @Test func `A path is a device file of the kernel's`() throws {
        let device = try DeviceSpecification(parsing: "/dev/vhost-vdpa-3")
        #expect(device.kind == .file(path: "/dev/vhost-vdpa-3"))
        #expect(!device.isSimulated)
    }

    @Test func `fd names an inherited descriptor`() throws {
        let device = try DeviceSpecification(parsing: "fd:7")
        #expect(device.kind == .descriptor(7))
        #expect(!device.isSimulated)
    }

    @Test(arguments: ["fd:", "fd:-1", "fd:x", "fd:99999999999"])
    func `fd takes the number of a descriptor`(text: String) {
        #expect(throws: ArgumentError("fd: takes the number of an open descriptor, as in fd:3")) {
            try DeviceSpecification(parsing: text)
        }
    }

    @Test(arguments: ["", "simulated", "vhost-vdpa-0", "SIM"])
    func `Any other text is refused with the forms that are accepted`(text: String) {
        #expect(throws: ArgumentError("use sim[,key=value]…, the path of a /dev/vhost-vdpa-N, or fd:N")) {
            try DeviceSpecification(parsing: text)
        }
    }

    @Test func `A simulated device that cannot exist is refused with its reason`() {
        let error = #expect(throws: ArgumentError.self) {
            try DeviceSpecification(parsing: "sim,kernel=6.1,reset-map=on")
        }
        #expect(error?.description.contains(".reset_map came with Linux 6.7") == true)
    }
}
