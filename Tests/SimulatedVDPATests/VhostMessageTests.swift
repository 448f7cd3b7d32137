import Glibc
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPA
import VhostVDPAConformance

@Suite("What a written message is")
struct VhostMessageTests {
    @Test("Every field is read where struct vhost_msg_v2 has it; bytes behind it are passed over")
    func fields() throws {
        let bytes = Client.message(
            2, iova: 0x0102_0304_0506_0708, size: 0x1112_1314_1516_1718, user: 0x2122_2324_2526_2728,
            permission: 0x31, asid: 0x4142_4344)
        let message = try Self.read(bytes + [1, 2, 3], acknowledged: .iotlbASID)
        #expect(message.kind == .update)
        #expect(message.addressSpace == 0x4142_4344)
        #expect(message.iova == 0x0102_0304_0506_0708)
        #expect(message.size == 0x1112_1314_1516_1718)
        #expect(message.userAddress == 0x2122_2324_2526_2728)
        #expect(message.permission == 0x31)
    }

    @Test(
        "The second word is an address space in version 2 with IOTLB_ASID acknowledged, and padding otherwise",
        arguments: [
            (1, BackendFeatures.iotlbASID, 0), (2, [], 0), (2, [.messageV2, .iotlbBatch], 0),
            (2, .iotlbASID, 7),
        ] as [(UInt32, BackendFeatures, UInt32)])
    func addressSpace(_ version: UInt32, _ acknowledged: BackendFeatures, _ expected: UInt32) throws {
        let bytes = Client.message(3, size: 1, asid: 7, outer: version)
        #expect(try Self.read(bytes, acknowledged: acknowledged).addressSpace == expected)
    }

    @Test("No version but 1 and 2", arguments: [0, 3, 7, 0x101, UInt32.max] as [UInt32])
    func version(_ version: UInt32) {
        #expect(throws: Errno.invalidArgument) {
            try Self.read(Client.message(3, size: 1, outer: version))
        }
    }

    @Test("39 bytes are too few for any message", arguments: 0..<40)
    func short(_ count: Int) {
        let bytes = Client.message(3, size: 1)
        #expect(throws: Errno.invalidArgument) { try Self.read(Array(bytes.prefix(count))) }
    }

    @Test("A message whose last byte cannot be read is EINVAL, not EFAULT")
    func unreadable() {
        let memory = Memory(pages: 2)
        memory.forbidPages(from: 1)
        let address = memory.address + UInt(Memory.pageSize) - 39
        #expect(throws: Errno.invalidArgument) {
            try VhostMessage(at: address, byteCount: 40, acknowledged: [])
        }
    }

    @Test("Size 0 is refused in an UPDATE and in nothing else", arguments: 0...UInt8.max)
    func emptyUpdate(_ kind: UInt8) throws {
        let bytes = Client.message(kind, size: 0)
        if kind == 2 {
            #expect(throws: Errno.invalidArgument) { try Self.read(bytes) }
        } else {
            #expect(try Self.read(bytes).kind.rawValue == kind)
        }
    }

    @Test("The form is looked at before the owner is asked for", arguments: Specifications.all)
    func formBeforeOwner(_ specification: String) throws {
        let client = try Client(specification)
        let messages = [
            Client.message(2, size: 0), Client.message(3, size: 1, outer: 7),
            Array(Client.message(3, size: 1).dropLast()),
        ]
        for message in messages { #expect(client.write(message) == .failure(.invalidArgument)) }
        #expect(client.file.mapFailures.isEmpty)
        #expect(client.write(Client.message(3, size: 1)) == .failure(.badAddress))
        #expect(client.file.mapFailures.map(\.cause) == [.notPermitted])
    }

    private static func read(
        _ bytes: [UInt8], acknowledged: BackendFeatures = []
    ) throws(Errno) -> VhostMessage {
        let memory = Memory(pages: 1)
        unsafe UnsafeMutableRawPointer(bitPattern: memory.address)?
            .copyMemory(from: bytes, byteCount: bytes.count)
        return try VhostMessage(at: memory.address, byteCount: bytes.count, acknowledged: acknowledged)
    }
}
