import SimulatedVDPA
import SystemPackage
import Testing

/// Rows (b), (c) and (f) of the decision table in `reference/vhost-vdpa-abi.md`, section 3.
@Suite("The decision table: parent × PERSIST × what happens")
struct DecisionTableTests {
    /// What is acknowledged when the maps are made, and when the device is reset.
    enum Acknowledged: CaseIterable {
        case never, always, onlyWhenMapping, onlyAtReset

        var whenMapping: Bool { self == .always || self == .onlyWhenMapping }
        var atReset: Bool { self == .always || self == .onlyAtReset }
    }

    enum Event: CaseIterable {
        case reset, closeAndReopen
    }

    struct Row: CustomTestStringConvertible {
        var specification: String
        var acknowledged: Acknowledged
        var event: Event
        var deviceKeeps: Bool
        var vhostKeeps: Bool
        var remap: Errno?
        var isIdentity: Bool

        var testDescription: String { "\(specification) \(acknowledged) \(event)" }
    }

    static let rows: [Row] = {
        var rows: [Row] = []
        // (c) set_map and (b) dma_map, with reset_map and compat_reset.
        for specification in ["sim", "sim,kernel=7.2", "sim,parent=dma-map"] {
            for acknowledged in Acknowledged.allCases {
                rows.append(
                    Row(
                        specification: specification, acknowledged: acknowledged, event: .reset,
                        deviceKeeps: acknowledged.atReset, vhostKeeps: true, remap: .badAddress,
                        isIdentity: !acknowledged.atReset))
                rows.append(
                    Row(
                        specification: specification, acknowledged: acknowledged, event: .closeAndReopen,
                        deviceKeeps: false, vhostKeeps: false, remap: nil, isIdentity: true))
            }
        }
        // (f) before 6.7: PERSIST cannot be acknowledged, and reset wipes.
        for event in Event.allCases {
            rows.append(
                Row(
                    specification: "sim,kernel=6.1", acknowledged: .never, event: event, deviceKeeps: false,
                    vhostKeeps: event == .reset, remap: event == .reset ? .badAddress : nil,
                    isIdentity: false))
        }
        return rows
    }()

    @Test("Maps alive, vhost entries alive, identity, errno of a remap", arguments: rows)
    func row(_ row: Row) throws {
        let client = try Client.owned(row.specification)
        let memory = Memory(pages: 2)
        func acknowledge(_ persist: Bool) throws {
            try client.expectSuccess(client.call(Request.setBackendFeatures, persist ? 0x102 : 0x2))
        }
        try acknowledge(row.acknowledged.whenMapping)
        #expect(client.update(0x100000, memory) == nil)
        try client.start()
        try acknowledge(row.acknowledged.atReset)
        switch row.event {
        case .reset: #expect(client.setStatus(0) == nil)
        case .closeAndReopen:
            try client.reopen()
            #expect(client.call(Request.setOwner) == nil)
        }
        #expect(client.deviceMaps.entries.isEmpty == !row.deviceKeeps)
        #expect(client.dataPath.translation(0).isEmpty == !row.deviceKeeps)
        #expect(client.deviceMaps.isIdentity == row.isIdentity)
        #expect(client.vhostEntries.isEmpty == !row.vhostKeeps)
        #expect(client.update(0x100000, memory) == row.remap)
    }
}
