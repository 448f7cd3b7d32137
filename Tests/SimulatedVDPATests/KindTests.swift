import SimulatedVDPA
import Testing
import Virtio

/// Every profile is registered with a kind whose parts fit each other.
@Suite("Device kinds")
struct KindTests {
    private static func kind(
        _ profile: SimulatedDeviceProfile, queuePairs: Int = 1, kernel: KernelVersion = .v6_12
    ) throws -> any DeviceKind {
        profile.kind(
            for: try SimulatedDeviceSpecification(kernel: kernel, queuePairs: queuePairs, profile: profile))
    }

    @Test("Queues, configuration, features and groups agree", arguments: SimulatedDeviceProfile.allCases)
    func agreement(_ profile: SimulatedDeviceProfile) throws {
        let kind = try Self.kind(profile)
        #expect(kind.deviceID == .network)
        #expect(kind.queues.count == 2 * kind.queues.pairs + (kind.features.contains(.controlQueue) ? 1 : 0))
        #expect(kind.configurationByteCount >= kind.configuration.count)
        let configuration = try #require(NetworkConfiguration(bytes: kind.configuration))
        #expect(configuration.mac == MACAddress("52:54:00:12:34:56"))
        #expect(configuration.status == .linkUp)
        #expect(configuration.mtu == (kind.features.contains(.mtu) ? 1500 : 0))
        #expect(kind.features.isSuperset(of: [.mac, .version1, .accessPlatform]))
        #expect((0..<kind.queues.count).allSatisfy { kind.ringSize(ofQueue: $0) <= kind.maximumQueueSize })
        #expect(kind.dataPathFeatures.isSubset(of: kind.features))
        #expect(kind.maximumQueueSize.nonzeroBitCount == 1)
        let groups = (0..<kind.queues.count).map { Int(kind.group(ofQueue: $0)) }
        #expect(Set(groups) == Set(0..<kind.groupCount))
        #expect(kind.addressSpaceCount >= kind.groupCount)
    }

    @Test("A card has as many pairs as it is asked for, and says so", arguments: [1, 2, 64])
    func pairs(_ pairs: Int) throws {
        let kind = try Self.kind(.standard, queuePairs: pairs)
        #expect(kind.queues == .network(pairs: pairs, hasControlQueue: false))
        let configuration = try #require(NetworkConfiguration(bytes: kind.configuration))
        #expect(Int(configuration.maximumQueuePairs) == pairs)
        #expect(kind.takesWire)
    }

    @Test("vdpa_sim_net's control queue is a group of its own, and 6.1 has no link status")
    func simulator() throws {
        let kind = try Self.kind(.vdpasimNet)
        #expect((0..<3).map { kind.group(ofQueue: $0) } == [0, 0, 1])
        #expect(!kind.takesWire)
        #expect(try #require(NetworkConfiguration(bytes: kind.configuration)).maximumQueuePairs == 0)
        #expect(kind.features.contains(.status))
        let old = try Self.kind(.vdpasimNet, kernel: .v6_1)
        #expect(!old.features.contains(.status))
    }

    @Test("QEMU's card offers what the kernel sees of it, and its control queue has the smaller ring")
    func card() throws {
        let kind = try Self.kind(.qemuNet)
        #expect(kind.features.low == 0x103_30bf_8024)
        #expect((0..<3).map { kind.ringSize(ofQueue: $0) } == [256, 256, 64])
        #expect(kind.configurationByteCount == 4096)
        #expect(kind.takesWire)
    }
}
