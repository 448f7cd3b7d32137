import GuestMemory
import SimulatedVDPA
import SystemPackage
import Testing
import VirtQueue
import VirtioDevice
import VirtioNet
import VhostVDPAConformance

@Suite("What a close does, in order")
struct PersistenceRules {
    @Test("67. A space nobody touched gets no reset_map on close")
    func untouchedSpace() throws {
        let client = try Client.owned("sim")
        client.dataPath.forgetCalls()
        client.file.close()
        #expect(!client.dataPath.calls.contains { if case .translation = $0 { true } else { false } })
    }

    @Test("67. A close stops the queues before it takes the maps", arguments: Specifications.all)
    func closeOrder(_ specification: String) throws {
        let client = try Client.owned(specification)
        let event = try EventCounter()
        #expect(client.setVring(Request.setVringKick, 0, file: event.descriptor.rawValue) == nil)
        #expect(client.update(0, Memory(pages: 4)) == nil)
        try client.start()
        client.dataPath.forgetCalls()
        client.file.close()
        let calls = client.dataPath.calls
        let lastStop = try #require(calls.lastIndex { if case .stop = $0 { true } else { false } })
        let unbound = try #require(calls.firstIndex(of: .kickBound(0, isBound: false)))
        let firstMap = try #require(calls.firstIndex { if case .translation = $0 { true } else { false } })
        #expect(lastStop < firstMap)
        #expect(lastStop < unbound)
    }

    @Test(
        "A persist cycle visits the data path four times at most",
        arguments: [
            "sim", "sim,kernel=7.2", "sim,parent=dma-map", "sim,parent=platform", "sim,parent=vendor",
        ])
    func persistCycle(_ specification: String) throws {
        let client = try Client.owned(specification)
        let kicks = try (0..<2).map { _ in try EventCounter() }
        let call = try EventCounter()
        func bind() {
            for queue in UInt32(0)..<2 {
                let kick = kicks[Int(queue)].descriptor.rawValue
                #expect(client.setVring(Request.setVringKick, queue, file: kick) == nil)
                #expect(client.setVring(Request.setVringCall, queue, file: call.descriptor.rawValue) == nil)
            }
        }
        _ = client.call(Request.setBackendFeatures, 0x100)
        #expect(client.update(0, Memory(pages: 4)) == nil)
        bind()
        try client.start()
        for queue in 0..<2 { client.dataPath.advance(queue, to: 300) }
        client.dataPath.forgetCalls()
        #expect(client.call(Request.suspend) == nil)
        for queue in UInt32(0)..<2 {
            #expect(client.getVring(Request.getVringBase, queue) == .success(300))
        }
        #expect(client.setStatus(0) == nil)
        bind()
        try client.start(base: 300)
        #expect(client.dataPath.running == [0, 1])
        #expect(client.dataPath.starts.map(\.state) == [.split(nextAvail: 300), .split(nextAvail: 300)])
        #expect(client.dataPath.starts.map(\.hasCall) == [true, true])
        let calls = client.dataPath.calls
        #expect(calls.count <= 4, "\(calls)")
    }

    @Test(
        "69. SET_CONFIG_CALL with a bad descriptor fails and keeps the old one", arguments: Specifications.all
    )
    func configCall(_ specification: String) throws {
        let client = try Client.owned(specification)
        let event = try EventCounter()
        #expect(client.call(Request.setConfigCall, [UInt32(bitPattern: event.descriptor.rawValue)]) == nil)
        #expect(client.call(Request.setConfigCall, [9999]) == .badFileDescriptor)
        client.dataPath.report(.queueBroken(.init(.chainTooLong), queue: 0))
        #expect(event.take() == 1)
        #expect(client.call(Request.setConfigCall, [UInt32.max]) == nil)
        client.dataPath.report(.queueBroken(.init(.chainTooLong), queue: 0))
        #expect(event.take() == 0)
    }
}
