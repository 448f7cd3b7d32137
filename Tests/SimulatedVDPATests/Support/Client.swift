import GuestMemory
import SimulatedVDPA
import SystemPackage
import TestSupport
import VhostVDPA
import VhostVDPAConformance
import VirtioDevice

/// A process on a simulated character device, which it can look into.
final class Client: DeviceCaller {
    let device: SimulatedVDPADevice
    let dataPath: RecordingDataPath
    let pinner: any Pinner
    private(set) var file: VhostVDPACharacterDevice
    var callee: any CharacterDevice { file }

    /// Makes the device `specification` describes and opens it; `memlock` is the limit in pages, unless there
    /// is another pinner.
    init(_ specification: String, memlock: Int = 1 << 20, pinner other: (any Pinner)? = nil) throws {
        var made: RecordingDataPath?
        pinner = other ?? AccountingPinner { memlock }
        device = try SimulatedVDPADevice(
            specification: SimulatedDeviceSpecification(parsing: specification), pinner: pinner,
            logger: .quiet,
            makeDataPath: DataPathFactory { _, events in
                let path = RecordingDataPath(report: events)
                made = path
                return path
            })
        guard let made else { throw Errno.noSuchFileOrDirectory }
        dataPath = made
        file = try device.openVhostVDPA()
    }

    /// A process on a character device over a parent of the test's own; `device` is another one, unused.
    init(
        parent: any ParentDriver, mapping: MappingPolicy,
        mappings: @escaping ProcessMappings.Source = ProcessMappings.current
    ) throws {
        let spare = try Client("sim")
        device = spare.device
        dataPath = spare.dataPath
        pinner = spare.pinner
        file = try VhostVDPACharacterDevice(
            parent: parent, kernel: .v6_12, mapping: mapping, pinner: pinner, logger: .quiet,
            mappings: mappings, onRelease: {})
    }

    /// A process on `device`, which it opens and owns; the data path is another one's, unused.
    init(opening device: SimulatedVDPADevice) throws {
        let spare = try Client("sim")
        self.device = device
        dataPath = spare.dataPath
        pinner = spare.pinner
        file = try device.openVhostVDPA()
        try expectSuccess(call(Request.setOwner))
    }

    /// A device that is owned.
    static func owned(
        _ specification: String, memlock: Int = 1 << 20, pinner: (any Pinner)? = nil
    ) throws -> Client {
        let client = try Client(specification, memlock: memlock, pinner: pinner)
        try client.expectSuccess(client.call(Request.setOwner))
        return client
    }

    func reopen() throws {
        file.close()
        file = try device.openVhostVDPA()
    }

    var kernel: KernelVersion { device.kernel }
    var deviceMaps: ParentDiagnostics.AddressSpace { device.diagnostics.device.addressSpaces[0] }
    var vhostEntries: [TranslationEntry] { device.diagnostics.vhostEntries[0] ?? [] }

    func expectSuccess(_ error: Errno?) throws { if let error { throw error } }

    /// A request whose argument is 32-bit words.
    func call(_ request: UInt, _ words: [UInt32]) -> Errno? {
        var bytes = words.flatMap(Self.bytes)
        return call(request, bytes: &bytes)
    }

    var status: UInt8? { try? UInt8(self.get(Request.getStatus, count: 1).get()) }

    /// Features, FEATURES_OK, queue 0 and 1 set up, enabled and DRIVER_OK, as a backend starts a device.
    func start(base: UInt32 = 0, features: UInt64 = 0x3_3000_0000) throws {
        try expectSuccess(setStatus(0x3))
        try expectSuccess(call(Request.setFeatures, features))
        try expectSuccess(setStatus(0xb))
        for queue in UInt32(0)..<2 {
            try expectSuccess(setVring(Request.setVringNum, queue, 256))
            try expectSuccess(setVring(Request.setVringBase, queue, base))
            try expectSuccess(setAddresses(queue))
            try expectSuccess(setVring(Request.setVringEnable, queue, 1))
        }
        try expectSuccess(setStatus(0xf))
    }

    /// Maps all of `memory` at `iova`.
    func update(_ iova: UInt64, _ memory: Memory, permission: UInt8 = 3, asid: UInt32 = 0) -> Errno? {
        send(
            .update, iova: iova, size: UInt64(memory.byteCount), user: memory.address, permission: permission,
            asid: asid)
    }
}
