import GuestMemory
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPA
import Virtio

@Suite("Which backend features are offered, and which are taken")
struct BackendFeatureOfferTests {
    /// What vhost-vdpa offers of itself, whatever the parent.
    private static let own: BackendFeatures = [.messageV2, .iotlbBatch, .iotlbASID]

    struct Offer: CustomTestStringConvertible {
        let kernel: KernelVersion
        var operations: ParentOperations = []
        var mapOperation = MapOperation.setMap
        var declared: BackendFeatures = []
        /// What is offered beside vhost-vdpa's own.
        let more: BackendFeatures

        var testDescription: String {
            "\(kernel.rawValue) \(operations.rawValue) \(mapOperation) \(declared)"
        }
    }

    @Test(
        "An operation of the parent's brings its feature, where the kernel has it",
        arguments: [
            Offer(kernel: .v6_12, more: []),
            Offer(kernel: .v6_12, operations: .suspend, more: .suspend),
            Offer(kernel: .v6_12, operations: .resume, more: .resume),
            Offer(kernel: .v6_1, operations: [.suspend, .resume], more: .suspend),
            Offer(kernel: .v6_12, operations: .descriptorGroup, more: .descriptorASID),
            Offer(kernel: .v6_12, operations: .resetMap, more: .iotlbPersist),
            Offer(kernel: .v6_1, operations: .resetMap, more: []),
            Offer(kernel: .v6_12, operations: [.compatReset, .queueGroup, .queueSize], more: []),
        ])
    func operations(_ offer: Offer) { Self.expect(offer) }

    @Test(
        "Maps are kept by reset_map, by the platform's IOMMU, or where the parent says so; before 6.7 by none",
        arguments: [
            Offer(kernel: .v6_12, mapOperation: .dmaMap, more: []),
            Offer(kernel: .v6_12, mapOperation: .platform, more: .iotlbPersist),
            Offer(kernel: .v7_2, mapOperation: .platform, more: .iotlbPersist),
            Offer(kernel: .v6_1, mapOperation: .platform, more: []),
        ])
    func persistence(_ offer: Offer) { Self.expect(offer) }

    @Test("What the parent declares is offered as it is")
    func declared() {
        Self.expect(Offer(kernel: .v6_12, declared: .enableAfterDriverOK, more: .enableAfterDriverOK))
        Self.expect(Offer(kernel: .v6_1, declared: .iotlbPersist, more: .iotlbPersist))
    }

    @Test(
        "A feature without its operation is EOPNOTSUPP, and taken with it",
        arguments: [
            (.suspend, .suspend), (.resume, .resume), (.iotlbPersist, .resetMap),
            ([.descriptorASID, .iotlbASID], .descriptorGroup),
        ] as [(BackendFeatures, ParentOperations)])
    func needsOperation(_ wanted: BackendFeatures, _ operation: ParentOperations) {
        let without = ParentOperations(rawValue: 0xff).subtracting(operation)
        #expect(Self.refusal(of: wanted, .v6_12, without) == .operationNotSupported)
        #expect(Self.refusal(of: wanted, .v6_12, operation) == nil)
    }

    @Test("DESC_ASID without IOTLB_ASID is EINVAL, before the operation is looked for")
    func descriptorASID() {
        #expect(Self.refusal(of: .descriptorASID, .v6_12, []) == .invalidArgument)
        #expect(Self.refusal(of: .descriptorASID, .v6_12, .descriptorGroup) == .invalidArgument)
        #expect(Self.refusal(of: [.descriptorASID, .suspend], .v6_12, []) == .operationNotSupported)
    }

    @Test("A bit that the kernel does not know is EOPNOTSUPP, before anything else", arguments: [0, 9, 63])
    func unknown(_ bit: Int) {
        let wanted = BackendFeatures(rawValue: 1 << UInt64(bit)).union(.descriptorASID)
        #expect(Self.refusal(of: wanted, .v6_12, []) == .operationNotSupported)
    }

    @Test("What 6.1 does not know yet is EOPNOTSUPP there", arguments: [5, 6, 7, 8])
    func beforeItsTime(_ bit: Int) {
        let wanted = BackendFeatures(rawValue: 1 << UInt64(bit)).union(.iotlbASID)
        #expect(Self.refusal(of: wanted, .v6_1, ParentOperations(rawValue: 0xff)) == .operationNotSupported)
        #expect(Self.refusal(of: wanted, .v6_12, ParentOperations(rawValue: 0xff)) == nil)
    }

    @Test("ENABLE_AFTER_DRIVER_OK is taken although nobody declares it; the kernel never checks")
    func uncheckedBit() {
        #expect(Self.refusal(of: .enableAfterDriverOK, .v6_12, []) == nil)
        #expect(Self.refusal(of: Self.own, .v6_1, []) == nil)
        #expect(Self.refusal(of: [], .v6_1, []) == nil)
    }

    private static func expect(_ offer: Offer) {
        let description = description(offer.operations, offer.mapOperation, offer.declared)
        let offered = BackendFeatureOffer(kernel: offer.kernel, description: description).offered
        #expect(offered == own.union(offer.more))
    }

    private static func refusal(
        of wanted: BackendFeatures, _ kernel: KernelVersion, _ operations: ParentOperations
    ) -> Errno? {
        let offer = BackendFeatureOffer(kernel: kernel, description: description(operations, .setMap, []))
        do throws(Errno) {
            try offer.check(wanted)
            return nil
        } catch {
            return error
        }
    }

    private static func description(
        _ operations: ParentOperations, _ mapOperation: MapOperation, _ declared: BackendFeatures
    ) -> ParentDescription {
        ParentDescription(
            deviceID: .network, queueCount: 2, maximumQueueSize: 256, configurationSize: 0,
            mapOperation: mapOperation, operations: operations, declaredBackendFeatures: declared)
    }
}
