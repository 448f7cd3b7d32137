import GuestMemory
import SimulatedVDPA
import SystemPackage
import Testing
import VirtQueue
import VirtioDevice
import VirtioNet
import VhostVDPAConformance

@Suite("What the data path reports")
struct ParentEventsTests {
    static func fault(_ address: UInt64) -> TranslationFault {
        TranslationFault(address: IOVirtualAddress(rawValue: address), access: .read)
    }

    @Test("Faults are all counted, the latest remembered with address and queue")
    func faults() throws {
        let client = try Client.owned("sim")
        for address in UInt64(0)..<100 {
            client.dataPath.report(.fault(Self.fault(address), queue: 1))
        }
        let device = client.device.diagnostics.device
        #expect(device.faultCount == 100)
        #expect(device.recentFaults.count == ParentEvents.recentFaultLimit)
        #expect(device.recentFaults.first == RecordedFault(fault: Self.fault(36), queue: 1))
        #expect(device.recentFaults.last == RecordedFault(fault: Self.fault(99), queue: 1))
        #expect(client.status == 0)
    }

    @Test("A broken queue sets NEEDS_RESET and signals the configuration interrupt; a reset clears it")
    func brokenQueue() throws {
        let client = try Client.owned("sim")
        let event = try EventCounter()
        #expect(client.call(Request.setConfigCall, [UInt32(bitPattern: event.descriptor.rawValue)]) == nil)
        try client.start()
        client.dataPath.report(.queueBroken(VirtQueueError(.chainTooLong), queue: 1))
        #expect(client.status == 0x4f)
        #expect(event.take() == 1)
        #expect(client.device.diagnostics.device.brokenQueues.map(\.queue) == [1])
        #expect(client.setStatus(0xf) == .invalidArgument)
        #expect(client.setStatus(0) == nil)
        #expect(client.status == 0)
        #expect(client.device.diagnostics.device.brokenQueues.isEmpty)
    }

    @Test("A full counter of the caller's eventfd is left alone")
    func fullCounter() throws {
        let client = try Client.owned("sim")
        let event = try EventCounter()
        var full = UInt64.max - 1
        _ = try unsafe withUnsafeBytes(of: &full) { try unsafe event.descriptor.write($0) }
        #expect(client.call(Request.setConfigCall, [UInt32(bitPattern: event.descriptor.rawValue)]) == nil)
        client.dataPath.report(.queueBroken(VirtQueueError(.chainTooLong), queue: 0))
        #expect(event.take() == UInt64.max - 1)
    }

    @Test("The eventfd a caller closed still works: the device holds its own reference")
    func closedByCaller() throws {
        let client = try Client.owned("sim")
        let event = try EventCounter()
        let copy = try event.descriptor.duplicate()
        #expect(client.call(Request.setConfigCall, [UInt32(bitPattern: copy.rawValue)]) == nil)
        try copy.close()
        client.dataPath.report(.queueBroken(VirtQueueError(.chainTooLong), queue: 0))
        #expect(event.take() == 1)
    }

    @Test("Reports come from another thread while the control thread works")
    func concurrentReports() async throws {
        let client = try Client.owned("sim")
        let report = client.dataPath.report
        let worker = Task.detached {
            for address in UInt64(0)..<1000 { report(.fault(Self.fault(address), queue: 0)) }
        }
        let memory = Memory(pages: 1)
        for _ in 0..<100 {
            #expect(client.update(0, memory) == nil)
            #expect(client.setStatus(0) == nil)
            #expect(client.send(.invalidate) == nil)
        }
        await worker.value
        #expect(client.device.diagnostics.device.faultCount == 1000)
    }
}
