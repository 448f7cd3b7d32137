import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPAConformance

/// `profile=qemu-net`: what QEMU's network card does behind vp_vdpa, beside what every card does.
@Suite("QEMU's card", .timeLimit(.minutes(15)))
struct QEMUNetTests {
    private static let own: [UInt8] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56]
    private static let features: UInt64 = 0x103_30bf_8024
    private let client: Client

    init() throws { client = try Client.owned("sim,profile=qemu-net") }

    private func read(_ count: UInt32, at offset: UInt32 = 0) throws -> [UInt8] {
        try client.getConfiguration(offset: offset, length: count).get()
    }

    private func write(_ bytes: [UInt8], at offset: UInt32 = 0) -> Errno? {
        var argument = [offset, UInt32(bytes.count)].flatMap(Client.bytes) + bytes
        return client.call(Request.setConfig, bytes: &argument)
    }

    @Test("What it is: features, queues, sizes, one group and one address space, 4096 bytes of configuration")
    func description() throws {
        #expect(client.get(Request.getFeatures, count: 8) == .success(Self.features))
        #expect(client.get(Request.getVringNum, count: 2) == .success(256))
        #expect(client.get(Request.getVqsCount, count: 4) == .success(3))
        #expect(client.get(Request.getGroupNum, count: 4) == .success(1))
        #expect(client.get(Request.getASNum, count: 4) == .success(1))
        #expect(client.get(Request.getConfigSize, count: 4) == .success(4096))
        #expect(try read(10) == Self.own + [1, 0, 0xff, 0xff])
        #expect(try read(4096).dropFirst(8).allSatisfy { $0 == 0xff })
        #expect(try read(1, at: 4095) == [0xff])
    }

    @Test(
        "A queue's size is its ring's until another one is set, and again after a reset: 256, of the control queue 64"
    )
    func sizes() {
        func sizes() -> [Result<UInt32, Errno>] {
            (0..<3).map { client.getVring(Request.getVringSize, $0) }
        }
        #expect(sizes() == [.success(256), .success(256), .success(64)])
        #expect(client.setVring(Request.setVringNum, 2, 128) == nil)
        #expect(client.setVring(Request.setVringNum, 0, 32) == nil)
        #expect(sizes() == [.success(32), .success(256), .success(128)])
        #expect(client.setStatus(0) == nil)
        #expect(sizes() == [.success(256), .success(256), .success(64)])
    }

    @Test("The address can be written, byte by byte, and nothing else; a reset brings the device's own back")
    func address() throws {
        #expect(write([0xaa], at: 5) == nil)
        #expect(try read(8) == [0x52, 0x54, 0, 0x12, 0x34, 0xaa, 1, 0])
        #expect(write([2, 4, 6, 8, 10, 12, 0xee, 0xee, 0xee]) == nil)
        #expect(try read(9) == [2, 4, 6, 8, 10, 12, 1, 0, 0xff])
        #expect(client.setStatus(0) == nil)
        #expect(try read(6) == Self.own)
    }

    @Test(
        "The address cannot be written with VERSION_1 or CTRL_MAC_ADDR",
        arguments: [
            (features, false), (1 << 32, false), (1 << 23, false), (1 << 5, true), (0, true), (1 << 34, true),
        ])
    func writable(features: UInt64, isTaken: Bool) throws {
        #expect(client.call(Request.setFeatures, features) == nil)
        #expect(write([0xaa], at: 5) == nil)
        #expect(try read(6).last == (isTaken ? 0xaa : 0x56))
    }

    @Test(
        "What was written and not taken comes after a reset with the next address, unless somebody has read")
    func copy() throws {
        for reads in [false, true] {
            #expect(client.call(Request.setFeatures, Self.features) == nil)
            #expect(write([0xaa], at: 0) == nil)
            #expect(client.setStatus(0) == nil)
            if reads { #expect(try read(1) == [0x52]) }
            #expect(write([0xbb], at: 5) == nil)
            #expect(try read(6) == [reads ? 0x52 : 0xaa, 0x54, 0, 0x12, 0x34, 0xbb])
            #expect(client.setStatus(0) == nil)
        }
    }

    @Test("DRIVER_OK is a kick of every queue, the first time alone")
    func start() throws {
        try client.start(features: Self.features)
        #expect(client.setStatus(0x8f) == nil)
        #expect(client.dataPath.calls.filter { $0 == .kick(0..<3) }.count == 1)
    }

    @Test(
        "A queue that is disabled ends everything until a reset, and whoever has VERSION_1 and runs is called"
    )
    func disabled() throws {
        let call = try EventCounter()
        #expect(client.call(Request.setConfigCall, UInt32(bitPattern: call.descriptor.rawValue)) == nil)
        try client.start(features: Self.features)
        #expect(client.device.diagnostics.device.runningQueues == [0, 1])
        #expect(client.setVring(Request.setVringEnable, 0, 0) == nil)
        #expect(client.status == 0x4f)
        #expect(call.take() == 1)
        #expect(client.device.diagnostics.device.runningQueues == [])
        #expect(client.setVring(Request.setVringEnable, 2, 0) == nil)
        #expect(call.take() == 0, "it is broken already")
        #expect(client.setStatus(0xf) == .invalidArgument)
        #expect(client.setStatus(0x4f) == nil)
        #expect(client.setVring(Request.setVringEnable, 0, 1) == nil)
        #expect(client.device.diagnostics.device.runningQueues == [], "still broken")
        #expect(client.setStatus(0) == nil)
        try client.start(features: Self.features)
        #expect(client.status == 0xf)
        #expect(client.device.diagnostics.device.runningQueues == [0, 1])
    }

    @Test(
        "A queue that is enabled with a ring that ends beyond the last address is a mistake, too",
        arguments: [(UInt64.max - 3, 0x2000), (0x3000, UInt64.max - 3)] as [(UInt64, UInt64)])
    func beyond(used: UInt64, avail: UInt64) {
        #expect(client.call(Request.setFeatures, Self.features) == nil)
        #expect(client.setAddresses(1, descriptors: 0, used: used, avail: avail) == nil)
        #expect(client.setVring(Request.setVringEnable, 1, 1) == nil)
        #expect(client.status == 0, "no ring")
        #expect(client.setAddresses(1, used: used, avail: avail) == nil)
        #expect(client.setVring(Request.setVringEnable, 1, 1) == nil)
        #expect(client.status == 0x40)
    }

    @Test("Before DRIVER_OK nobody is called, and without VERSION_1 nobody is told")
    func silent() throws {
        let call = try EventCounter()
        #expect(client.call(Request.setConfigCall, UInt32(bitPattern: call.descriptor.rawValue)) == nil)
        #expect(client.setVring(Request.setVringEnable, 0, 0) == nil)
        #expect(client.status == 0)
        #expect(client.setStatus(0) == nil)
        #expect(client.setStatus(3) == nil)
        #expect(client.call(Request.setFeatures, Self.features) == nil)
        #expect(client.setStatus(0xb) == nil)
        #expect(client.setVring(Request.setVringEnable, 2, 0) == nil)
        #expect(client.status == 0x4b)
        #expect(call.take() == 0)
    }
}
