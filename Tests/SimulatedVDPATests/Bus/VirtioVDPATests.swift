import SimulatedVDPA
import SystemPackage
import TestSupport
import Testing
import VhostVDPA
import VirtioNet
import VhostVDPAConformance

/// What becomes of a device when vhost-vdpa lets go of it and the kernel's own driver takes it: the reason why
/// `reset_map` exists (`vhost_vdpa_reset_map` of drivers/vhost/vdpa.c, `vdpasim_reset_map`).
@Suite("virtio-vdpa after vhost-vdpa", .timeLimit(.minutes(15)))
struct VirtioVDPATests {
    /// How vhost-vdpa comes to let go.
    enum Ending: String, CaseIterable, CustomTestStringConvertible {
        case orderly = "an orderly close"
        case killed = "a killed owner"
        case unacknowledged = "PERSIST not acknowledged, nothing unmapped"

        var testDescription: String { rawValue }
    }

    private static let every = Set(Ending.allCases)

    /// Each row of the decision table, and after which endings the kernel's driver works.
    static let rows: [(specification: String, worksAfter: Set<Ending>)] = [
        // (a): the platform's IOMMU goes back to its default domain, where the DMA API maps.
        ("sim,parent=platform", every), ("sim,parent=vp-vdpa", every),
        ("sim,parent=platform,kernel=6.1", every), ("sim,parent=stateful", every),
        ("sim,parent=mlx5", every),
        // (b) and (c): reset_map brings the identity back.
        ("sim,parent=dma-map", every), ("sim,parent=dma-map,use-va=off", every),
        ("sim", every), ("sim,use-va=off", every), ("sim,kernel=7.2", every),
        ("sim,profile=vdpasim-net", every), ("sim,profile=vdpasim-net,parent=dma-map,use-va=off", every),
        // (d): without it nothing does.
        ("sim,reset-map=off,compat-reset=off", []),
        ("sim,parent=dma-map,reset-map=off,compat-reset=off", []),
        // The close's own reset brings it back, unless dma_unmap follows because maps were left.
        ("sim,parent=dma-map,reset-map=off,compat-reset=on", [.orderly]),
        // set_map is not called at a close.
        ("sim,reset-map=off,compat-reset=on", every),
        // A parent that wipes at any reset gets it back from the one that the kernel's driver begins with.
        ("sim,parent=dma-map,reset-map=off,compat-reset=off,wipe-on-reset=on", every),
        ("sim,reset-map=off,compat-reset=off,wipe-on-reset=on", every),
        // VDUSE has bounce pages for the kernel.
        ("sim,parent=vduse", every),
        // (e): a parent that keeps its maps on its own word has no way back either.
        ("sim,parent=vendor", []),
        // (f): before 6.7 nobody has an identity, and vdpa_sim maps for the driver itself.
        ("sim,kernel=6.1", every), ("sim,parent=dma-map,kernel=6.1", every),
        ("sim,profile=vdpasim-net,kernel=6.1", every),
    ]

    private static let frameCount = 50

    private static func make(_ specification: String) throws -> SimulatedVDPADevice {
        return try SimulatedVDPADevice(
            specification: SimulatedDeviceSpecification(parsing: specification),
            pinner: AccountingPinner { 1 << 20 }, logger: .quiet,
            makeDataPath: DataPathFactory { kind, events in
                try kind.makeDataPath(name: "bus", wire: .loopback, report: events)
            })
    }

    /// Binds the kernel's driver in place of vhost-vdpa, counts the frames that come back, and binds vhost-vdpa again.
    private func framesThroughTheKernel(_ device: SimulatedVDPADevice) throws -> Int {
        try device.unbind(.vhostVDPA)
        try device.bind(.virtioVDPA)
        let driver = try #require(device.virtio)
        let frames = driver.exchange(frames: Self.frameCount)
        try device.unbind(.virtioVDPA)
        try device.bind(.vhostVDPA)
        return frames
    }

    /// A process that maps memory and starts the device.
    private func startedClient(_ device: SimulatedVDPADevice, _ memory: Memory, acknowledged: Bool) throws
        -> Client
    {
        let client = try Client(opening: device)
        let offered = try client.get(Request.getBackendFeatures, count: 8).get()
        let wanted = acknowledged ? offered & (1 << 8 | 0xe) : 0xe
        try client.expectSuccess(client.call(Request.setBackendFeatures, wanted))
        try client.expectSuccess(client.update(0x1000, memory))
        try client.start(features: 0x3_0000_0000)
        return client
    }

    private func letGo(_ client: Client, _ memory: Memory, _ ending: Ending) throws {
        switch ending {
        case .orderly:
            try client.expectSuccess(client.setStatus(0))
            try client.expectSuccess(
                client.send(.invalidate, iova: 0x1000, size: UInt64(memory.byteCount)))
        case .unacknowledged:
            try client.expectSuccess(client.setStatus(0))
        case .killed:
            break
        }
        client.file.close()
    }

    @Test("A device that nobody has mapped works", arguments: rows.map(\.specification))
    func untouched(_ specification: String) throws {
        let device = try Self.make(specification)
        #expect(try framesThroughTheKernel(device) == Self.frameCount)
        #expect(device.diagnostics.device.faultCount == 0)
    }

    @Test(
        "It works where reset_map, a last reset or the DMA API brings the kernel's addresses back, else not",
        arguments: rows, Ending.allCases)
    func afterVhost(_ row: (specification: String, worksAfter: Set<Ending>), _ ending: Ending) throws {
        let works = row.worksAfter.contains(ending)
        let device = try Self.make(row.specification)
        let memory = Memory(pages: 8)
        let client = try startedClient(device, memory, acknowledged: ending != .unacknowledged)
        try letGo(client, memory, ending)
        let before = device.diagnostics.device.faultCount
        let frames = try framesThroughTheKernel(device)
        #expect(frames == (works ? Self.frameCount : 0))
        // What does not get there is a fault, and no byte moves.
        #expect((device.diagnostics.device.faultCount > before) == !works)
        // Either way the next process finds a device it can use.
        let next = try startedClient(device, memory, acknowledged: true)
        next.file.close()
    }

    @Test("In identity a guest's address moves no byte and is a fault, on either side of the kernel's driver")
    func strayAccess() throws {
        let device = try Self.make("sim")
        for _ in 0..<2 {
            let client = try Client(opening: device)
            let kick = try EventCounter()
            #expect(device.diagnostics.device.addressSpaces[0].isIdentity)
            let before = device.diagnostics.device.faultCount
            try client.start(features: 0x3_0000_0000)
            for queue in UInt32(0)..<2 {
                try client.expectSuccess(
                    client.setVring(Request.setVringKick, queue, file: kick.descriptor.rawValue))
            }
            kick.signal()
            #expect(eventually { device.diagnostics.device.faultCount > before })
            client.file.close()
            #expect(try framesThroughTheKernel(device) == Self.frameCount)
        }
    }

    @Test("The kernel's pages are out of reach once its driver is gone")
    func kernelMemoryGoes() throws {
        let device = try Self.make("sim")
        try device.unbind(.vhostVDPA)
        try device.bind(.virtioVDPA)
        let driver = try #require(device.virtio)
        #expect(driver.exchange(frames: 1) == 1)
        driver.remove()
        #expect(driver.exchange(frames: 1, patience: .zero) == 0)
        #expect(device.diagnostics.device.runningQueues.isEmpty)
    }

    @Test("A device has one driver: EBUSY, ENODEV, and ENOENT for a character device that is not there")
    func oneDriver() throws {
        let device = try Self.make("sim")
        #expect(throws: Errno.resourceBusy) { try device.bind(.virtioVDPA) }
        #expect(throws: Errno.resourceBusy) { try device.bind(.vhostVDPA) }
        #expect(throws: Errno.noDevice) { try device.unbind(.virtioVDPA) }
        let file = try device.open()
        #expect(throws: Errno.resourceBusy) { try device.unbind(.vhostVDPA) }
        file.close()
        try device.unbind(.vhostVDPA)
        #expect(throws: Errno.noDevice) { try device.unbind(.vhostVDPA) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try device.open() }
        try device.bind(.virtioVDPA)
        #expect(device.driver == .virtioVDPA)
        #expect(throws: Errno.resourceBusy) { try device.bind(.vhostVDPA) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try device.open() }
        try device.unbind(.virtioVDPA)
        try device.bind(.vhostVDPA)
        try device.open().close()
    }
}
