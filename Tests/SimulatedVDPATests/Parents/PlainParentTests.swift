import GuestMemory
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPA
import VhostVDPAConformance
import VirtQueue
import Virtio

/// A parent driver with what every parent has, and nothing else.
private final class PlainParent: ParentDriver {
    let description = ParentDescription(
        deviceID: .block, queueCount: 1, maximumQueueSize: 64, configurationSize: 8, mapOperation: .setMap,
        usesVirtualAddresses: true)
    let deviceFeatures: VirtioFeatures = [.version1, .accessPlatform]
    private(set) var status: DeviceStatus = []
    private(set) var resets = 0
    private var state = QueueState.initial(.split)

    func setDriverFeatures(_ features: VirtioFeatures) {}
    func setStatus(_ status: DeviceStatus) { self.status = status }
    func reset() {
        resets += 1
        status = []
    }
    func configuration(at offset: Int, count: Int) -> [UInt8] { [UInt8](repeating: 7, count: count) }
    func setQueueSize(_ size: UInt32, queue: Int) {}
    func setQueueAddresses(_ addresses: RingAddresses, queue: Int) {}
    func setQueueState(_ state: QueueState, queue: Int) { self.state = state }
    func queueState(_ queue: Int) -> QueueState { state }
    func setQueueReady(_ isReady: Bool, queue: Int) {}
    func setKick(_ file: EventFile?, queue: Int) {}
    func setCallback(_ file: EventFile?, queue: Int) {}
}

@Suite("A parent driver of one's own")
struct PlainParentTests {
    @Test("What it has not is EOPNOTSUPP, and is not offered")
    func optionalOperations() throws {
        let parent = PlainParent()
        let client = try Client(opening: SimulatedVDPADevice(parent: parent, kernel: .v6_12))
        #expect(parent.resets == 1)
        #expect(try client.get(Request.getDeviceID, count: 4).get() == 2)
        #expect(try client.get(Request.getBackendFeatures, count: 8).get() == 0b1110)
        #expect(client.setStatus(0xf) == nil)
        let missing = Errno(rawValue: 95)
        #expect(client.call(Request.suspend) == missing)
        #expect(client.call(Request.resume) == missing)
        #expect(client.getVring(Request.getVringSize, 0) == .failure(missing))
        #expect(client.getVring(Request.getVringGroup, 0) == .failure(missing))
        #expect(client.getVring(Request.getVringDescGroup, 0) == .failure(missing))
        #expect(client.setVring(Request.setGroupASID, 0, 0) == missing)
        // What it promises to have, as it has set_map, and has not: EFAULT, as for every message that is refused.
        let memory = Memory(pages: 1)
        #expect(client.update(0x10_0000, memory) == .badAddress)
        #expect(client.file.mapFailures.map(\.cause) == [missing, missing], "the map, and taking it back")
        #expect(client.vhostEntries.isEmpty)
        #expect(try client.getConfiguration(offset: 2, length: 3).get() == [7, 7, 7])
    }

    @Test("The kernel in the simulated machine has no driver for it, and vhost-vdpa goes on")
    func bus() throws {
        let device = try SimulatedVDPADevice(parent: PlainParent())
        try device.unbind(.vhostVDPA)
        #expect(throws: Errno(rawValue: 19)) { try device.bind(.virtioVDPA) }
        try device.bind(.vhostVDPA)
        #expect(device.faultCount == 0 && device.specification == nil)
        try device.open().close()
    }

    @Test("A device is made and opened in one line, and its file keeps it")
    func oneLine() throws {
        let file = try SimulatedVDPADevice(wire: .unplugged).open()
        let client = RuleClient(file)
        #expect(try client.get(Request.getStatus, count: 1).get() == 0)
        client.close()
    }
}
