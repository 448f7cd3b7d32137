import Testing
import VhostVDPA
import VhostVDPAConformance

/// A client that owns a simulated device, and a network driver with a page that is mapped nowhere yet.
final class ClientStage {
    /// What released QEMU takes of the backend features: MSG_V2, BATCH, ASID and SUSPEND, never IOTLB_PERSIST.
    static let masked: UInt64 = 0x1e

    let opener: DeviceOpener
    let traits: DeviceTraits
    let driver: OnePageDriver
    private(set) var client: RuleClient

    /// Opens and owns the device. `sound` is what to ask where the device itself is too faulty to be probed; a driver that
    /// is `waiting` lets time go by, as with a real device, instead of having the simulation settle.
    init(_ specification: String, probing sound: String? = nil, waiting: Bool = false) throws {
        var opener = try SimulatedOpener.make(specification)
        if waiting { opener.settle = nil }
        self.opener = opener
        traits = try SimulatedOpener.traits(sound ?? specification)
        driver = try OnePageDriver(opener, traits)
        client = RuleClient(try opener.open())
        try own()
    }

    deinit { client.close() }

    func reopen() throws {
        client.close()
        client = RuleClient(try opener.open())
        try own()
    }

    private func own() throws { if let error = client.call(Request.setOwner) { throw error } }

    /// Acknowledges as QEMU does.
    func acknowledgeAsQEMU() {
        #expect(client.acknowledge(traits.backendFeatures & Self.masked) == nil)
    }

    /// The page mapped in a batch, or taken out in one, as QEMU's listener does.
    func mapInBatch() {
        #expect(client.send(.batchBegin) == nil)
        #expect(driver.map(client) == nil)
        #expect(client.send(.batchEnd) == nil)
    }

    func unmapInBatch() {
        #expect(client.send(.batchBegin) == nil)
        #expect(driver.unmap(client) == nil)
        #expect(client.send(.batchEnd) == nil)
    }

    /// Whether a frame posted and kicked now is taken.
    func movesFrames() throws -> Bool { try driver.transmits(within: opener.quietMilliseconds) }
}
