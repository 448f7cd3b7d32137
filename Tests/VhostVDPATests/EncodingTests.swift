import GuestMemory
import SystemPackage
import TestSupport
import Testing
import VhostVDPA
import Virtio

/// The bytes and the numbers of every call, written out from the kernel's headers, not from the code.
struct EncodingTests {
    private let raw = RawDevice()
    private let device: VhostVDPADevice

    init() { device = VhostVDPADevice(raw, logger: .quiet) }

    /// One call: what makes it, its request number and the bytes of its argument.
    struct Call: Sendable, CustomTestStringConvertible {
        let request: UInt
        let argument: [UInt8]
        let make: @Sendable (VhostVDPADevice) throws -> Void

        init(
            _ request: UInt, _ argument: [UInt8], _ make: @escaping @Sendable (VhostVDPADevice) throws -> Void
        ) {
            self.request = request
            self.argument = argument
            self.make = make
        }

        var testDescription: String { "0x" + String(request, radix: 16) }
    }

    static let writes: [Call] = [
        Call(0x4008_af00, bytes(UInt64(0x3_0000_0020))) {
            try $0.setFeatures([.version1, .accessPlatform, .mac])
        },
        Call(0x0000_af01, []) { try $0.setOwner() },
        Call(0x4008_af10, bytes(UInt32(1), 256)) { try $0.setSize(256, of: 1) },
        Call(0x4028_af11, bytes(UInt32(2), 0) + bytes(UInt64(0x1000), 0x3000, 0x2000, 0)) {
            try $0.setAddresses(
                descriptors: .init(rawValue: 0x1000), avail: .init(rawValue: 0x2000),
                used: .init(rawValue: 0x3000),
                of: 2)
        },
        Call(0x4008_af12, bytes(UInt32(1), 65535)) { try $0.setBase(VringBase(availIndex: 65535), of: 1) },
        Call(0x4008_af20, bytes(UInt32(1), 9)) { try $0.setKick(FileDescriptor(rawValue: 9), of: 1) },
        Call(0x4008_af20, bytes(UInt32(1), .max)) { try $0.setKick(nil, of: 1) },
        Call(0x4008_af21, bytes(UInt32(0), 8)) { try $0.setCall(FileDescriptor(rawValue: 8), of: 0) },
        Call(0x4008_af22, bytes(UInt32(3), 7)) { try $0.setError(FileDescriptor(rawValue: 7), of: 3) },
        Call(0x4008_af25, bytes(UInt64(0x104))) { try $0.setBackendFeatures([.iotlbBatch, .iotlbPersist]) },
        Call(0x4001_af72, [0x0f]) { try $0.setStatus([.acknowledge, .driver, .featuresOK, .driverOK]) },
        Call(0x4001_af72, [0]) { try $0.setStatus(.reset) },
        Call(0x4008_af74, bytes(UInt32(6), 4) + [1, 2, 3, 4]) {
            try $0.setConfiguration(offset: 6, [1, 2, 3, 4])
        },
        Call(0x4008_af75, bytes(UInt32(1), 1)) { try $0.setEnabled(true, of: 1) },
        Call(0x4008_af75, bytes(UInt32(1), 0)) { try $0.setEnabled(false, of: 1) },
        Call(0x4004_af77, bytes(Int32(5))) { try $0.setConfigurationInterrupt(FileDescriptor(rawValue: 5)) },
        Call(0x4004_af77, bytes(Int32(-1))) { try $0.setConfigurationInterrupt(nil) },
        Call(0x4008_af7c, bytes(UInt32(1), 2)) { try $0.setAddressSpace(2, of: 1) },
        Call(0x0000_af7d, []) { try $0.suspend() },
        Call(0x0000_af7e, []) { try $0.resume() },
    ]

    @Test("a call carries the kernel's number and the kernel's bytes", arguments: writes)
    func write(call: Call) throws {
        try call.make(device)
        #expect(raw.request == call.request)
        #expect(raw.bytes == call.argument)
        #expect(device.counts.ioctls == 1)
    }

    /// One answer: its request number, the bytes the kernel leaves, and whether they are understood.
    struct Answer: Sendable, CustomTestStringConvertible {
        let request: UInt
        let bytes: [UInt8]
        let isUnderstood: @Sendable (VhostVDPADevice) throws -> Bool

        init(
            _ request: UInt, _ bytes: [UInt8],
            _ isUnderstood: @escaping @Sendable (VhostVDPADevice) throws -> Bool
        ) {
            self.request = request
            self.bytes = bytes
            self.isUnderstood = isUnderstood
        }

        var testDescription: String { "0x" + String(request, radix: 16) }
    }

    static let answers: [Answer] = [
        Answer(0x8008_af00, bytes(UInt64(0x3_0882_0028))) { try $0.features().rawValue == 0x3_0882_0028 },
        Answer(0x8008_af26, bytes(UInt64(0x17e))) {
            try $0.backendFeatures() == [
                .messageV2, .iotlbBatch, .iotlbASID, .suspend, .resume, .enableAfterDriverOK, .iotlbPersist,
            ]
        },
        Answer(0xc008_af12, bytes(UInt32(1), 77)) { try $0.base(of: 1).rawValue == 77 },
        Answer(0x8004_af70, bytes(UInt32(1))) { try $0.deviceID() == .network },
        Answer(0x8001_af71, [0x4b]) { try $0.status() == [.acknowledge, .driver, .featuresOK, .needsReset] },
        Answer(0x8008_af73, bytes(UInt32(2), 4) + [9, 8, 7, 6]) {
            try $0.configuration(offset: 2, count: 4) == [9, 8, 7, 6]
        },
        Answer(0x8002_af76, bytes(UInt16(256))) { try $0.maximumVringSize() == 256 },
        Answer(0x8010_af78, bytes(UInt64(0x1000), .max)) {
            try $0.iovaRange() == IOVARange(first: .init(rawValue: 0x1000), last: .init(rawValue: .max))
        },
        Answer(0x8004_af79, bytes(UInt32(24))) { try $0.configurationSize() == 24 },
        Answer(0x8004_af7a, bytes(UInt32(2))) { try $0.addressSpaceCount() == 2 },
        Answer(0xc008_af7b, bytes(UInt32(2), 1)) { try $0.group(of: 2) == 1 },
        Answer(0xc008_af7f, bytes(UInt32(2), 1)) { try $0.descriptorGroup(of: 2) == 1 },
        Answer(0x8004_af80, bytes(UInt32(3))) { try $0.vringCount() == 3 },
        Answer(0x8004_af81, bytes(UInt32(2))) { try $0.vringGroupCount() == 2 },
        Answer(0xc008_af82, bytes(UInt32(1), 256)) { try $0.maximumSize(of: 1) == 256 },
    ]

    @Test("an answer is read from where the kernel puts it", arguments: answers)
    func read(answer: Answer) throws {
        raw.answer = answer.bytes
        #expect(try answer.isUnderstood(device))
        #expect(raw.request == answer.request)
    }

    @Test("an empty IOVA range is refused as one, with both ends")
    func emptyRange() {
        raw.answer = bytes(UInt64(5), 4)
        let error = #expect(throws: VhostVDPAError.self) { try device.iovaRange() }
        #expect(error?.errno == .outOfRange)
        #expect(error?.description.contains("first 5, last 4") == true)
    }

    // MARK: IOTLB messages

    /// `vhost_msg_v2`: type and ASID, then iova, size, uaddr, perm and type, filled up to 72 bytes.
    private static func message(
        asid: UInt32, iova: UInt64 = 0, size: UInt64 = 0, host: UInt64 = 0, access: UInt8 = 0, type: UInt8
    ) -> [UInt8] {
        let body = bytes(UInt32(2), asid) + bytes(iova, size, host) + [access, type]
        return body + [UInt8](repeating: 0, count: 72 - body.count)
    }

    private static let range = IOVARange(first: .init(rawValue: 0x10_0000), last: .init(rawValue: 0x1f_ffff))
    private static let whole = IOVARange(first: .init(rawValue: 0), last: .init(rawValue: .max))

    @Test("an IOTLB message is a vhost_msg_v2 of 72 bytes, and is counted by its kind")
    func messages() throws {
        let range = try #require(Self.range)
        let entry = TranslationEntry(range: range, host: .init(rawValue: 0x7f00_0000_1000), access: .read)
        try device.send(IOTLBMessage(.update(entry), addressSpace: 3))
        #expect(
            raw.bytes
                == Self.message(
                    asid: 3, iova: 0x10_0000, size: 0x10_0000, host: 0x7f00_0000_1000, access: 1, type: 2))
        try device.send(IOTLBMessage(.invalidate(range), addressSpace: 1))
        #expect(raw.bytes == Self.message(asid: 1, iova: 0x10_0000, size: 0x10_0000, type: 3))
        try device.send(IOTLBMessage(.invalidateAll))
        #expect(raw.bytes == Self.message(asid: 0, type: 3))
        try device.send(IOTLBMessage(.invalidate(try #require(Self.whole))))
        #expect(raw.bytes == Self.message(asid: 0, type: 3))
        try device.send(IOTLBMessage(.batchBegin))
        #expect(raw.bytes == Self.message(asid: 0, type: 5))
        try device.send(IOTLBMessage(.batchEnd))
        #expect(raw.bytes == Self.message(asid: 0, type: 6))
        let counts = device.counts
        #expect((counts.ioctls, counts.updates, counts.invalidates, counts.batches) == (0, 1, 3, 1))
    }

    @Test("a message in words has its address space, its range and what the device may do there")
    func words() throws {
        let range = try #require(Self.range)
        for (access, word) in [(MemoryAccess.read, "RO"), (.write, "WO"), (.readWrite, "RW")] {
            let entry = TranslationEntry(range: range, host: .init(rawValue: 0x7f00), access: access)
            #expect(
                "\(IOTLBMessage(.update(entry), addressSpace: 3))"
                    == "UPDATE(asid: 3, iova: [0x100000, 0x1fffff], host: 0x7f00, access: \(word))")
        }
        #expect("\(IOTLBMessage(.invalidate(range)))" == "INVALIDATE(asid: 0, iova: [0x100000, 0x1fffff])")
        #expect("\(IOTLBMessage(.batchEnd, addressSpace: 1))" == "BATCH_END(asid: 1)")
    }

    @Test("a message that is not taken whole is an error")
    func shortWrite() {
        raw.written = 40
        let error = #expect(throws: VhostVDPAError.self) { try device.send(IOTLBMessage(.batchBegin)) }
        #expect(error?.code == .shortWrite)
        #expect(error?.description.contains("40 of 72") == true)
    }

    // MARK: Failures

    @Test("a failed call keeps its errno and names itself with its arguments", arguments: writes)
    func failure(call: Call) throws {
        raw.error = .resourceBusy
        let error = #expect(throws: VhostVDPAError.self) { try call.make(device) }
        #expect(error?.errno == .resourceBusy)
        #expect(error?.code == .ioctl)
        #expect(error?.call.contains("(") == true)
        #expect(device.counts.ioctls == 1)
    }

    @Test("errno 524, which no C library names, has words")
    func notSupported() {
        raw.error = Errno(rawValue: 524)
        let error = #expect(throws: VhostVDPAError.self) { try device.mapDoorbell(of: 2, pageSize: 4096) }
        // PROT_WRITE is 2, MAP_SHARED 1.
        #expect(raw.mapping == [4096, 2, 1, 8192])
        #expect(error?.code == .map)
        #expect(error?.description.contains("ENOTSUPP") == true)
    }

    @Test("bits are printed by name, unnamed ones by number")
    func names() {
        #expect(BackendFeatures(rawValue: 0x304).description == "0x304 (IOTLB_BATCH|IOTLB_PERSIST|bit 9)")
    }
}
