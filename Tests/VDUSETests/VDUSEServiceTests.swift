import GuestMemory
import LinuxHost
import TestSupport
import Testing
import VirtQueue
import Virtio
import VirtioDevice
import VirtioNet

@testable import VDUSE

/// The life of a served device, with a network card and without a kernel.
@Suite struct VDUSEServiceTests {
    @Test("From a reset on the kernel has no kicks; the first status after it binds them")
    func kicksAreBound() throws {
        let device = try ServedDevice()
        var service = try device.makeService()
        device.kernel.send(.setStatus(.reset))
        try device.step(&service)
        #expect(device.kernel.kicks.allSatisfy { $0 == nil })
        device.kernel.send(.setStatus(.acknowledge))
        try device.step(&service)
        #expect(device.kernel.kicks.allSatisfy { $0 != nil })
        #expect(device.kernel.outcomes == [.done, .done])
        #expect(service.status == .acknowledge)
    }

    @Test("A queue starts with its first kick, and its driver's memory is mapped then")
    func firstKick() throws {
        let device = try ServedDevice()
        var service = try device.makeService()
        device.enableQueues()
        device.offerFrame()
        try device.start(&service)
        #expect(service.isRunning && service.startCount == 1)
        #expect(device.kernel.mapCount == 0 && device.rings[1].usedIndex == 0)
        device.kernel.kick(1)
        try device.step(&service)
        #expect(device.kernel.mapCount == 1 && device.rings[1].usedIndex == 1)
        #expect(device.kernel.interrupts == [1])
    }

    @Test("A kick of a queue that is not enabled starts nothing, and does not come again")
    func notEnabled() throws {
        let device = try ServedDevice()
        var service = try device.makeService()
        try device.start(&service)
        let kick = try #require(device.kernel.kicks[1])
        kick.event.signal()
        try device.step(&service)
        #expect(device.kernel.mapCount == 0 && kick.event.drain() == 0)
    }

    @Test("A kick before DRIVER_OK is served with DRIVER_OK")
    func earlyKick() throws {
        let device = try ServedDevice()
        var service = try device.makeService()
        device.enableQueues()
        device.offerFrame()
        device.kernel.send(.setStatus([.acknowledge, .driver, .featuresOK]))
        try device.step(&service)
        device.kernel.kick(1)
        try device.step(&service)
        #expect(device.rings[1].usedIndex == 0)
        device.kernel.send(.setStatus([.acknowledge, .driver, .featuresOK, .driverOK]))
        try device.step(&service)
        #expect(device.rings[1].usedIndex == 1)
    }

    @Test("A queue's state is what its driver has set until it runs, then where it stands")
    func queueState() throws {
        let device = try ServedDevice()
        var service = try device.makeService()
        device.enableQueues(at: 5)
        device.rings[1].availIndex = 5
        device.offerFrame()
        try device.start(&service)
        device.kernel.send(.queueState(queue: 1))
        try device.step(&service)
        #expect(device.kernel.outcomes.last == .queueState(queue: 1, availIndex: 5))
        device.kernel.kick(1)
        try device.step(&service)
        device.kernel.send(.queueState(queue: 1))
        device.kernel.send(.queueState(queue: 2))
        try device.step(&service)
        #expect(device.kernel.outcomes.suffix(2) == [.queueState(queue: 1, availIndex: 6), .failed])
    }

    @Test(
        "A ring that no queue can have does not start, whatever the driver kicks", arguments: [0, 3, 0x10000])
    func badRing(size: UInt32) throws {
        let device = try ServedDevice()
        var service = try device.makeService()
        device.enableQueues()
        device.kernel.queues[1] = QueueInformation(
            size: size, addresses: device.rings[1].layout.addresses, availIndex: 0, isReady: true)
        device.offerFrame()
        try device.start(&service)
        device.kernel.kick(1)
        try device.step(&service)
        #expect(device.rings[1].usedIndex == 0 && device.kernel.kicks[1]?.event.drain() == 0)
    }

    @Test("Features that were not offered: FEATURES_OK is refused and the status stays")
    func features() throws {
        let device = try ServedDevice()
        var service = try device.makeService()
        device.kernel.features = [.version1, .accessPlatform, .packedRing]
        device.kernel.send(.setStatus([.acknowledge, .driver]))
        device.kernel.send(.setStatus([.acknowledge, .driver, .featuresOK]))
        try device.step(&service)
        #expect(device.kernel.outcomes == [.done, .failed])
        #expect(service.status == [.acknowledge, .driver])
    }

    // MARK: Maps

    @Test("UPDATE_IOTLB: queues that run have the memory of then, and go on")
    func update() throws {
        let device = try ServedDevice()
        var service = try device.makeService()
        device.enableQueues()
        device.offerFrame()
        try device.start(&service)
        let everything = try #require(
            AddressRange<IOVirtualAddress>(first: 0, last: IOVirtualAddress(rawValue: .max)))
        device.kernel.send(.updateIOTLB(everything))
        try device.step(&service)
        #expect(device.kernel.mapCount == 0)
        device.kernel.kick(1)
        try device.step(&service)
        device.kernel.send(.updateIOTLB(everything))
        try device.step(&service)
        #expect(device.kernel.mapCount == 2)
        device.offerFrame()
        device.kernel.kick(1)
        try device.step(&service)
        #expect(device.rings[1].usedIndex == 2 && device.card.counts(1).faults == 0)
    }

    @Test("UPDATE_IOTLB of a range that has no region of it leaves the maps as they are")
    func updateElsewhere() throws {
        let device = try ServedDevice()
        var service = try device.makeService()
        device.enableQueues()
        try device.start(&service)
        device.kernel.kick(1)
        try device.step(&service)
        device.kernel.send(.updateIOTLB(try #require(AddressRange(first: 0x20_0000, last: 0x20_0fff))))
        try device.step(&service)
        #expect(device.kernel.mapCount == 1 && device.kernel.outcomes.last == .done)
    }

    @Test(
        "Maps that are gone are gone: a frame is a fault and moves nothing; a map that is refused is the kernel's to know"
    )
    func unmapped() throws {
        let device = try ServedDevice()
        var service = try device.makeService()
        device.enableQueues()
        device.offerFrame()
        try device.start(&service)
        device.kernel.kick(1)
        try device.step(&service)
        let everything = try #require(
            AddressRange<IOVirtualAddress>(first: 0, last: IOVirtualAddress(rawValue: .max)))
        device.kernel.regions = []
        device.kernel.send(.updateIOTLB(everything))
        try device.step(&service)
        device.offerFrame()
        device.kernel.kick(1)
        try device.step(&service)
        #expect(device.rings[1].usedIndex == 1 && device.card.counts(1).faults > 0)
        device.kernel.refusesRegions = true
        device.kernel.send(.updateIOTLB(everything))
        try device.step(&service)
        #expect(device.kernel.outcomes.last == .failed)
    }

    // MARK: Ends and beginnings

    @Test("A reset stops the queues: what is kicked afterwards waits for the next start")
    func reset() throws {
        let device = try ServedDevice()
        var service = try device.makeService()
        device.enableQueues()
        device.offerFrame()
        try device.start(&service)
        device.kernel.kick(1)
        try device.step(&service)
        let kick = try #require(device.kernel.kicks[1])
        device.kernel.send(.setStatus(.reset))
        try device.step(&service)
        device.offerFrame()
        kick.event.signal()
        try device.step(&service)
        #expect(!service.isRunning && device.rings[1].usedIndex == 1)
        device.enableQueues(at: 1)
        try device.start(&service)
        device.kernel.kick(1)
        try device.step(&service)
        #expect(device.rings[1].usedIndex == 2 && service.startCount == 2)
    }

    @Test(
        "A device that runs is taken over: its queues go on at their used index, and their driver is interrupted"
    )
    func takeOver() throws {
        let device = try ServedDevice()
        device.enableQueues()
        // Another process has taken six chains and returned five.
        device.rings[1].availIndex = 5
        device.rings[1].usedIndex = 5
        device.offerFrame()
        device.kernel.isRunning = true
        var service = try device.makeService()
        try service.takeOver()
        #expect(device.kernel.interrupts == [0, 1])
        try device.step(&service)
        #expect(device.rings[1].usedIndex == 6)
        // The five that were returned are not taken again.
        #expect(device.card.counts(1).packets == 1 && device.card.counts(1).errors == 0)
        device.kernel.send(.queueState(queue: 1))
        try device.step(&service)
        #expect(device.kernel.outcomes == [.queueState(queue: 1, availIndex: 6)])
    }

    @Test("A device that does not run is taken over with its kicks, and starts like any other")
    func takeOverOfAnIdleDevice() throws {
        let device = try ServedDevice()
        device.enableQueues()
        device.offerFrame()
        var service = try device.makeService()
        try service.takeOver()
        #expect(!service.isRunning && device.kernel.mapCount == 0)
        #expect(device.kernel.kicks.allSatisfy { $0 != nil })
        device.kernel.send(.setStatus([.acknowledge, .driver, .featuresOK, .driverOK]))
        try device.step(&service)
        device.kernel.kick(1)
        try device.step(&service)
        #expect(device.rings[1].usedIndex == 1)
    }

    @Test("A device with features that this one has not is another program's")
    func takeOverOfAnotherDevice() throws {
        let device = try ServedDevice()
        device.kernel.features = [.version1, .accessPlatform, .packedRing]
        var service = try device.makeService()
        do throws(VDUSEError) {
            try service.takeOver()
            Issue.record("RING_PACKED was not offered")
        } catch {
            #expect(error.code == .otherDevice && "\(error)".contains("RING_PACKED"), "\(error)")
        }
    }

    @Test("At its end the queues have stopped, and the kernel keeps the kicks")
    func end() throws {
        let device = try ServedDevice()
        var service = try device.makeService()
        device.enableQueues()
        device.offerFrame()
        try device.start(&service)
        device.kernel.kick(1)
        try device.step(&service)
        service.end()
        #expect(device.kernel.kicks.allSatisfy { $0 == nil })
        device.offerFrame()
        device.card.kick(1..<2)
        device.card.settle()
        #expect(device.rings[1].usedIndex == 1)
    }
}
