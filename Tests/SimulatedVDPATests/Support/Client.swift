import GuestMemory
import Logging
import SimulatedVDPA
import SystemPackage
import VhostVDPA

/// A process on a simulated character device: raw requests, and the errno each gives (`nil` is success).
final class Client {
    let device: SimulatedVDPADevice
    let dataPath: RecordingDataPath
    let pinner: any Pinner
    private(set) var file: VhostVDPACharacterDevice

    /// Makes the device `specification` describes and opens it; `memlock` is the limit in pages, unless there
    /// is another pinner.
    init(_ specification: String, memlock: Int = 1 << 20, pinner other: (any Pinner)? = nil) throws {
        var made: RecordingDataPath?
        pinner = other ?? AccountingPinner { memlock }
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        device = try SimulatedVDPADevice(
            specification: SimulatedDeviceSpecification(parsing: specification), pinner: pinner,
            logger: quiet,
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
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        file = try VhostVDPACharacterDevice(
            parent: parent, kernel: .v6_12, mapping: mapping, pinner: pinner, logger: quiet,
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

    var kernel: KernelVersion { device.specification.kernel }
    var deviceMaps: ParentDiagnostics.AddressSpace { device.diagnostics.device.addressSpaces[0] }
    var vhostEntries: [TranslationEntry] { device.diagnostics.vhostEntries[0] ?? [] }

    func expectSuccess(_ error: Errno?) throws { if let error { throw error } }

    // MARK: ioctl

    func call(_ request: UInt, address: UInt = 0) -> Errno? {
        do throws(Errno) {
            _ = try file.ioctl(request, address)
            return nil
        } catch {
            return error
        }
    }

    func call(_ request: UInt, _ bytes: inout [UInt8]) -> Errno? {
        unsafe bytes.withUnsafeMutableBytes { buffer in
            call(request, address: UInt(bitPattern: buffer.baseAddress))
        }
    }

    func call(_ request: UInt, _ words: [UInt32]) -> Errno? {
        var bytes = words.flatMap(Self.bytes)
        return call(request, &bytes)
    }

    func call(_ request: UInt, _ value: UInt64) -> Errno? {
        var bytes = Self.bytes(value)
        return call(request, &bytes)
    }

    /// The little-endian number in the `count` bytes a request stores, or `nil` where it fails.
    func get(_ request: UInt, count: Int) -> UInt64? {
        var bytes = [UInt8](repeating: 0, count: count)
        guard call(request, &bytes) == nil else { return nil }
        return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    func setStatus(_ status: UInt8) -> Errno? {
        var bytes = [status]
        return call(Request.setStatus, &bytes)
    }

    var status: UInt8? { self.get(Request.getStatus, count: 1).map { UInt8($0) } }

    func setVring(_ request: UInt, _ index: UInt32, _ number: UInt32) -> Errno? {
        call(request, [index, number])
    }

    func setVring(_ request: UInt, _ index: UInt32, file descriptor: Int32) -> Errno? {
        call(request, [index, UInt32(bitPattern: descriptor)])
    }

    /// The second word of a vring_state that a request fills in.
    func getVring(_ request: UInt, _ index: UInt32) -> Result<UInt32, Errno> {
        var bytes = Self.bytes(index) + [0, 0, 0, 0]
        if let error = call(request, &bytes) { return .failure(error) }
        return .success(bytes[4...].reversed().reduce(0) { $0 << 8 | UInt32($1) })
    }

    func setAddresses(
        _ index: UInt32, flags: UInt32 = 0, descriptors: UInt64 = 0x1000, used: UInt64 = 0x3000,
        avail: UInt64 = 0x2000, log: UInt64 = 0
    ) -> Errno? {
        var bytes =
            Self.bytes(index) + Self.bytes(flags) + Self.bytes(descriptors) + Self.bytes(used)
            + Self.bytes(avail) + Self.bytes(log)
        return call(Request.setVringAddr, &bytes)
    }

    func getConfig(offset: UInt32, length: UInt32) -> Result<[UInt8], Errno> {
        var bytes = Self.bytes(offset) + Self.bytes(length) + [UInt8](repeating: 0, count: 64)
        if let error = call(Request.getConfig, &bytes) { return .failure(error) }
        return .success(Array(bytes[8..<8 + Int(length)]))
    }

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

    // MARK: write

    enum Kind: UInt8 {
        case miss = 1
        case update, invalidate, accessFail, batchBegin, batchEnd
    }

    static func message(
        _ kind: UInt8, iova: UInt64 = 0, size: UInt64 = 0, user: UInt = 0, permission: UInt8 = 3,
        asid: UInt32 = 0, outer: UInt32 = 2
    ) -> [UInt8] {
        bytes(outer) + bytes(asid) + bytes(iova) + bytes(size) + bytes(UInt64(user))
            + [permission, kind] + [UInt8](repeating: 0, count: 6)
    }

    /// Writes bytes as they are; the number the device answers, or its errno.
    func write(_ bytes: [UInt8]) -> Result<Int, Errno> {
        unsafe bytes.withUnsafeBytes { buffer in
            do throws(Errno) {
                return .success(try unsafe file.write(buffer))
            } catch {
                return .failure(error)
            }
        }
    }

    func send(
        _ kind: Kind, iova: UInt64 = 0, size: UInt64 = 0, user: UInt = 0, permission: UInt8 = 3,
        asid: UInt32 = 0
    ) -> Errno? {
        let message = Self.message(
            kind.rawValue, iova: iova, size: size, user: user, permission: permission, asid: asid)
        switch write(message) {
        case .success: return nil
        case .failure(let error): return error
        }
    }

    /// Maps all of `memory` at `iova`.
    func update(_ iova: UInt64, _ memory: Memory, permission: UInt8 = 3, asid: UInt32 = 0) -> Errno? {
        send(
            .update, iova: iova, size: UInt64(memory.byteCount), user: memory.address, permission: permission,
            asid: asid)
    }

    static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
}
