import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPA
import Virtio
import VirtioDevice

@Suite("The bus")
struct BusTests {
    struct NoWorker: Error {}

    @Test("Devices by name: EEXIST, EBUSY while open, ENODEV, and the worker ends with the device")
    func addAndRemove() throws {
        let bus = SimulatedVDPABus(pinner: AccountingPinner { 0 })
        var paths: [RecordingDataPath] = []
        let factory = DataPathFactory { _, events in
            let path = RecordingDataPath(report: events)
            paths.append(path)
            return path
        }
        let device = try bus.add(SimulatedDeviceSpecification(), name: "vdpa0", makeDataPath: factory)
        #expect(throws: Errno.fileExists) {
            try bus.add(SimulatedDeviceSpecification(), name: "vdpa0", makeDataPath: factory)
        }
        let file = try device.open()
        #expect(throws: Errno.resourceBusy) { try bus.remove(name: "vdpa0") }
        file.close()
        try bus.remove(name: "vdpa0")
        #expect(throws: Errno(rawValue: 19)) { try bus.remove(name: "vdpa0") }
        #expect(paths.count == 1)
        #expect(paths[0].calls.contains(.shutdown))
    }

    @Test("A data path that cannot start is the device's error")
    func failingFactory() throws {
        #expect(throws: NoWorker.self) {
            try SimulatedVDPADevice(
                specification: SimulatedDeviceSpecification(),
                makeDataPath: DataPathFactory { _, _ in throw NoWorker() })
        }
    }

    @Test("The factory sees the kind and the device outlives its opens")
    func kind() throws {
        var seen: (any DeviceKind)?
        let device = try SimulatedVDPADevice(
            specification: SimulatedDeviceSpecification(queuePairs: 3),
            makeDataPath: DataPathFactory { kind, events in
                seen = kind
                return RecordingDataPath(report: events)
            })
        #expect(seen?.queues.count == 6)
        for _ in 0..<3 { try device.open().close() }
    }
}
