import SimulatedVDPA
import Testing

@Suite("Device specifications")
struct SpecificationTests {
    @Test(
        "Defaults follow the kernel",
        arguments: [
            (
                "sim",
                "sim,kernel=6.12,parent=set-map,reset-map=on,compat-reset=on,wipe-on-reset=off,use-va=on,"
                    + "queues=1,entries=2048"
            ),
            (
                "sim,kernel=6.1",
                "sim,kernel=6.1,parent=set-map,reset-map=off,compat-reset=off,wipe-on-reset=on,use-va=on,queues=1"
            ),
            (
                "sim,kernel=6.1,use-va=off",
                "sim,kernel=6.1,parent=set-map,reset-map=off,compat-reset=off,wipe-on-reset=on,use-va=off,queues=1"
            ),
            (
                "sim,use-va=off,fragment=2M,queues=4,kernel=7.2,entries=9",
                "sim,kernel=7.2,parent=set-map,reset-map=on,compat-reset=on,wipe-on-reset=off,use-va=off,"
                    + "queues=4,entries=9,fragment=2097152"
            ),
            (
                "sim,parent=dma-map,reset-map=off,wipe-on-reset=on",
                "sim,kernel=6.12,parent=dma-map,reset-map=off,compat-reset=on,wipe-on-reset=on,use-va=on,"
                    + "queues=1,entries=2048"
            ),
            (
                "sim,parent=platform",
                "sim,kernel=6.12,parent=platform,reset-map=off,compat-reset=off,wipe-on-reset=off,use-va=off,"
                    + "queues=1,entries=2048"
            ),
            (
                "sim,parent=vp-vdpa,kernel=6.1,memlock=unlimited",
                "sim,kernel=6.1,parent=vp-vdpa,reset-map=off,compat-reset=off,wipe-on-reset=off,use-va=off,"
                    + "queues=1,memlock=unlimited"
            ),
            (
                "sim,parent=vendor,memlock=1M,fault=loses-maps",
                "sim,kernel=6.12,parent=vendor,reset-map=off,compat-reset=off,wipe-on-reset=off,use-va=off,"
                    + "queues=1,entries=2048,memlock=1048576,fault=loses-maps"
            ),
            (
                "sim,parent=vduse,kernel=6.1",
                "sim,kernel=6.1,parent=vduse,reset-map=off,compat-reset=off,wipe-on-reset=off,use-va=on,queues=1"
            ),
            (
                "sim,profile=vdpasim-net,kernel=6.1",
                "sim,kernel=6.1,parent=set-map,reset-map=off,compat-reset=off,wipe-on-reset=on,use-va=off,queues=1,"
                    + "profile=vdpasim-net"
            ),
            (
                "sim,profile=qemu-net",
                "sim,kernel=6.12,parent=vp-vdpa,reset-map=off,compat-reset=off,wipe-on-reset=off,use-va=off,"
                    + "queues=1,entries=2048,profile=qemu-net"
            ),
        ])
    func defaults(_ text: String, _ canonical: String) throws {
        let specification = try SimulatedDeviceSpecification(parsing: text)
        #expect(specification.description == canonical)
        #expect(try SimulatedDeviceSpecification(parsing: canonical) == specification)
    }

    @Test(
        "What cannot be is refused with the reason",
        arguments: [
            ("simulated", .notASimulatedDevice, "sim"), ("", .notASimulatedDevice, "sim"),
            ("sim,", .unknownKey, "kernel="), ("sim,colour=red", .unknownKey, "colour"),
            ("sim,kernel", .invalidValue, "kernel="), ("sim,kernel=", .invalidValue, "kernel="),
            ("sim,kernel=5.10", .invalidValue, "6.1, 6.12, 7.2, 7.3"),
            ("sim,kernel=6.1,kernel=6.1", .repeatedKey, "twice"),
            ("sim,parent=usb", .invalidValue, "set-map"), ("sim,profile=fast", .invalidValue, "vdpasim-net"),
            ("sim,profile=vdpasim-net,queues=2", .contradiction, "one pair"),
            ("sim,profile=vdpasim-net,parent=vendor", .contradiction, "batch_mapping"),
            ("sim,profile=vdpasim-net,kernel=6.1,use-va=on", .contradiction, "pins"),
            ("sim,profile=qemu-net,parent=set-map", .contradiction, "vp_vdpa"),
            ("sim,profile=qemu-net,queues=2", .contradiction, "one pair"),
            ("sim,profile=qemu-net,use-va=on", .contradiction, "physical addresses"),
            ("sim,fault=fire", .invalidValue, "loses-maps, map-half-way"),
            ("sim,use-va=yes", .invalidValue, "on or off"),
            ("sim,kernel=6.1,reset-map=on", .contradiction, "6.7"),
            ("sim,kernel=6.1,compat-reset=on", .contradiction, "6.7"),
            ("sim,wipe-on-reset=on", .contradiction, "reset-map=off"),
            ("sim,fragment=4K", .contradiction, "use-va=off"),
            ("sim,parent=platform,use-va=on", .contradiction, "physical addresses"),
            ("sim,parent=vp-vdpa,use-va=on", .contradiction, "physical addresses"),
            ("sim,parent=platform,reset-map=on", .contradiction, "no reset reaches them"),
            ("sim,parent=platform,compat-reset=on", .contradiction, "no reset reaches them"),
            ("sim,parent=vp-vdpa,wipe-on-reset=on", .contradiction, "no reset reaches them"),
            ("sim,parent=vendor,reset-map=on", .contradiction, "its own word"),
            ("sim,parent=vendor,wipe-on-reset=on", .contradiction, "its own word"),
            ("sim,parent=vendor,kernel=6.1", .contradiction, "6.7"),
            ("sim,parent=vduse,use-va=off", .contradiction, "pins nothing"),
            ("sim,parent=vduse,reset-map=on", .contradiction, "VDUSE has .reset alone"),
            ("sim,parent=vduse,compat-reset=on", .contradiction, "VDUSE has .reset alone"),
            ("sim,parent=vduse,fragment=4K", .contradiction, "parent=set-map,use-va=off"),
            ("sim,memlock=8M", .contradiction, "use-va=off"),
            ("sim,use-va=off,memlock=lots", .invalidValue, "size"),
            ("sim,use-va=off,memlock=-1M", .invalidValue, "size"),
            ("sim,queues=+1", .invalidValue, "1 to 64"),
            ("sim,use-va=off,memlock=9E", .invalidValue, "too large"),
            ("sim,reset-map=off,fault=loses-maps", .contradiction, "reset-map=on"),
            ("sim,kernel=6.1,fault=loses-maps", .contradiction, "kernel=6.12"),
            ("sim,parent=vduse,fault=loses-maps", .contradiction, "does not offer"),
            ("sim,fault=map-half-way", .contradiction, "fault=set-map"),
            ("sim,parent=dma-map,fault=set-map", .contradiction, "no set_map"),
            ("sim,parent=vp-vdpa,fault=suspend", .contradiction, "no SUSPEND"),
            ("sim,parent=stateful,fault=suspend", .contradiction, "no SUSPEND"),
            ("sim,parent=stateful,use-va=on", .contradiction, "physical addresses"),
            ("sim,parent=mlx5,use-va=on", .contradiction, "physical addresses"),
            ("sim,parent=mlx5,kernel=6.1", .contradiction, "Linux 6.7"),
            ("sim,parent=mlx5,profile=vdpasim-net", .contradiction, "vdpa_sim"),
            ("sim,parent=vduse,fault=suspend", .contradiction, "before Linux 7.3"),
            ("sim,use-va=off,fragment=1", .invalidValue, "page size"),
            ("sim,use-va=off,fragment=0", .invalidValue, "page size"),
            ("sim,use-va=off,fragment=99999999T", .invalidValue, "too large"),
            ("sim,kernel=6.1,entries=5", .contradiction, "does not count"),
            ("sim,entries=18446744073709551615", .invalidValue, "too large; 9223372036854775807 is the most"),
            ("sim,queues=18446744073709551615", .invalidValue, "must be 1 to 64"),
            ("sim,entries=0", .invalidValue, "at least one"), ("sim,entries=many", .invalidValue, "number"),
            ("sim,queues=0", .invalidValue, "1 to 64"), ("sim,queues=65", .invalidValue, "1 to 64"),
        ] as [(String, SimulatedDeviceSpecificationError.Code, String)])
    func refusals(_ text: String, _ code: SimulatedDeviceSpecificationError.Code, _ mention: String) {
        let error = #expect(throws: SimulatedDeviceSpecificationError.self) {
            try SimulatedDeviceSpecification(parsing: text)
        }
        #expect(error?.code == code)
        #expect(error?.description.contains(mention) == true)
    }

    @Test("The default initialiser is 'sim'")
    func memberwise() throws {
        #expect(try SimulatedDeviceSpecification() == SimulatedDeviceSpecification(parsing: "sim"))
    }
}
