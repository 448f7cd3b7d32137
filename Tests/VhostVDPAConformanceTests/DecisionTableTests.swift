import SimulatedConformance
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPAConformance

/// What `_compat_vdpa_reset` and `vhost_vdpa_cleanup` (drivers/vhost/vdpa.c) leave of the maps, on every kind of parent.
@Suite("The decision table: parent × PERSIST × what happens")
struct DecisionTableTests {
    /// When IOTLB_PERSIST is acknowledged: while the maps are made, while the device is reset, both or neither.
    enum Acknowledged: CaseIterable {
        case never, always, onlyWhenMapping, onlyAtReset

        var whenMapping: Bool { self == .always || self == .onlyWhenMapping }
        var atReset: Bool { self == .always || self == .onlyAtReset }
    }

    enum Event: CaseIterable {
        case reset, closeAndReopen
    }

    /// What the device is left with.
    enum DeviceMaps {
        case kept, identity, empty
    }

    /// A kind of parent, and its row of the table.
    struct Parent: Sendable {
        var specification: String
        var offersPersistence: Bool
        var afterReset: DeviceMaps
        var afterAcknowledgedReset = DeviceMaps.kept
        var afterClose: DeviceMaps
    }

    static let parents = [
        // (c) set_map with reset_map and compat_reset, and (b) dma_map with the same.
        Parent(
            specification: "sim", offersPersistence: true, afterReset: .identity, afterClose: .identity),
        Parent(
            specification: "sim,kernel=7.2", offersPersistence: true, afterReset: .identity,
            afterClose: .identity),
        Parent(
            specification: "sim,kernel=7.3", offersPersistence: true, afterReset: .identity,
            afterClose: .identity),
        Parent(
            specification: "sim,use-va=off", offersPersistence: true, afterReset: .identity,
            afterClose: .identity),
        Parent(
            specification: "sim,parent=mlx5", offersPersistence: true, afterReset: .identity,
            afterClose: .identity),
        Parent(
            specification: "sim,parent=dma-map", offersPersistence: true, afterReset: .identity,
            afterClose: .identity),
        Parent(
            specification: "sim,parent=dma-map,use-va=off", offersPersistence: true, afterReset: .identity,
            afterClose: .identity),
        // reset_map, and nobody to clean a map at a reset.
        Parent(
            specification: "sim,compat-reset=off", offersPersistence: true, afterReset: .kept,
            afterClose: .identity),
        // (d) without reset_map: the parent's own reset decides, and a close leaves set_map's table behind.
        Parent(
            specification: "sim,reset-map=off,compat-reset=off", offersPersistence: false, afterReset: .kept,
            afterClose: .kept),
        Parent(
            specification: "sim,reset-map=off", offersPersistence: false, afterReset: .identity,
            afterClose: .identity),
        Parent(
            specification: "sim,reset-map=off,compat-reset=off,wipe-on-reset=on", offersPersistence: false,
            afterReset: .identity, afterClose: .identity),
        Parent(
            specification: "sim,parent=dma-map,reset-map=off,compat-reset=off", offersPersistence: false,
            afterReset: .kept, afterClose: .empty),
        Parent(
            specification: "sim,parent=vduse", offersPersistence: false, afterReset: .kept, afterClose: .kept),
        Parent(
            specification: "sim,parent=vduse,kernel=7.3", offersPersistence: false, afterReset: .kept,
            afterClose: .kept),
        // (e) a vendor's IOMMU, kept on its word: a close unmaps each entry.
        Parent(
            specification: "sim,parent=vendor", offersPersistence: true, afterReset: .kept, afterClose: .empty
        ),
        // (a) behind the platform's IOMMU the maps are vhost-vdpa's own, and no reset reaches them.
        Parent(
            specification: "sim,parent=platform", offersPersistence: true, afterReset: .kept,
            afterClose: .empty),
        Parent(
            specification: "sim,parent=stateful", offersPersistence: true, afterReset: .kept,
            afterClose: .empty),
        Parent(
            specification: "sim,parent=vp-vdpa", offersPersistence: true, afterReset: .kept,
            afterClose: .empty),
        // One that offers IOTLB_PERSIST and loses the maps anyway: what no client can know.
        Parent(
            specification: "sim,fault=loses-maps", offersPersistence: true, afterReset: .identity,
            afterAcknowledgedReset: .identity, afterClose: .identity),
        // (a) before 6.7: the same, but nobody offers to acknowledge it.
        Parent(
            specification: "sim,parent=platform,kernel=6.1", offersPersistence: false, afterReset: .kept,
            afterClose: .empty),
        // (f) before 6.7: nothing to acknowledge, a reset wipes, and there is no identity.
        Parent(
            specification: "sim,kernel=6.1", offersPersistence: false, afterReset: .empty, afterClose: .empty),
        Parent(
            specification: "sim,kernel=6.1,parent=dma-map", offersPersistence: false, afterReset: .empty,
            afterClose: .empty),
        Parent(
            specification: "sim,kernel=6.1,use-va=off", offersPersistence: false, afterReset: .empty,
            afterClose: .empty),
    ]

    struct Row: CustomTestStringConvertible, Sendable {
        var parent: Parent
        var acknowledged: Acknowledged
        var event: Event

        var testDescription: String { "\(parent.specification) \(acknowledged) \(event)" }

        /// What the table says.
        var expected: DeviceMaps {
            switch event {
            case .closeAndReopen: parent.afterClose
            case .reset: acknowledged.atReset ? parent.afterAcknowledgedReset : parent.afterReset
            }
        }
    }

    static let rows = parents.flatMap { parent in
        (parent.offersPersistence ? Acknowledged.allCases : [.never]).flatMap { acknowledged in
            Event.allCases.map { Row(parent: parent, acknowledged: acknowledged, event: $0) }
        }
    }

    private static let iova: UInt64 = 0x10_0000

    @Test("Maps alive, vhost entries alive, identity, errno of a remap", arguments: rows)
    func row(_ row: Row) throws {
        let opener = try SimulatedOpener.make(row.parent.specification, movesFrames: false)
        let interior = try #require(opener.interior)
        var client = RuleClient(try opener.open())
        #expect(client.call(Request.setOwner) == nil)
        let pages = try TestPages(pages: 2)
        let persist: UInt64 = 1 << 8
        #expect(client.acknowledge(row.acknowledged.whenMapping ? persist : 0) == nil)
        #expect(client.update(Self.iova, pages) == nil)
        let mapped = interior()
        #expect(mapped.device[0].entries == mapped.vhost[0])
        #expect(client.setStatus(0xf) == nil)
        #expect(client.acknowledge(row.acknowledged.atReset ? persist : 0) == nil)
        switch row.event {
        case .reset: #expect(client.setStatus(0) == nil)
        case .closeAndReopen:
            client.close()
            client = RuleClient(try opener.open())
            #expect(client.call(Request.setOwner) == nil)
        }
        let left = interior()
        switch row.expected {
        case .kept: #expect(left.device == mapped.device)
        case .identity: #expect(left.device[0] == .init(entries: [], isIdentity: true))
        case .empty: #expect(left.device[0] == .init(entries: [], isIdentity: false))
        }
        #expect(left.vhost == (row.event == .reset ? mapped.vhost : [:]))
        #expect(left.pinnedPages == (row.event == .reset ? mapped.pinnedPages : 0))
        #expect(client.update(Self.iova, pages) == (row.event == .reset ? .badAddress : nil))
        client.close()
    }

    @Test("IOTLB_PERSIST is offered and taken where the table says", arguments: parents.map(\.specification))
    func offered(_ specification: String) throws {
        let parent = try #require(Self.parents.first { $0.specification == specification })
        let traits = try SimulatedOpener.traits(specification)
        #expect((traits.backendFeatures & 1 << 8 != 0) == parent.offersPersistence)
        let profile = MapProfile(try SimulatedDeviceSpecification(parsing: specification))
        #expect(profile.offersPersistence == parent.offersPersistence)
        #expect(profile.keepsMaps(whenAcknowledged: false) == (parent.afterReset == .kept))
        let client = RuleClient(try SimulatedOpener.make(specification, movesFrames: false).open())
        #expect(client.acknowledge(1 << 8) == (parent.offersPersistence ? nil : Errno(rawValue: 95)))
    }
}
