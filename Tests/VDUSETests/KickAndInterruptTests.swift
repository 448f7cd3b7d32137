import GuestMemory
import LinuxHost
import SystemPackage
import TestSupport
import Testing
import VirtQueue
import Virtio
import VirtioDevice
import VirtioNet
import WorkerRuntime

@testable import VDUSE

/// No kick, no interrupt and no end of a worker is lost, whenever it comes.
@Suite struct KickAndInterruptTests {
    private let device: ServedDevice

    init() throws { device = try ServedDevice() }

    private static let failure = WorkerFailure(
        worker: "the worker", EventLoopFailure(signalRefused: .permissionDenied))

    private func next(_ service: inout VDUSEService<KernelDouble>) throws -> ServiceEnding? {
        try service.step(until: device.interrupt.descriptor, milliseconds: 0)
    }

    // MARK: Kicks

    /// Why a queue cannot start.
    enum Refusal: CaseIterable { case noMemory, noRing, disabled }

    private func refuse(_ refusal: Refusal, _ isRefused: Bool) {
        switch refusal {
        case .noMemory: device.kernel.refusesRegions = isRefused
        case .noRing, .disabled:
            let addresses = device.rings[1].layout.addresses
            device.kernel.queues[1] = QueueInformation(
                size: isRefused && refusal == .noRing ? 3 : 8, addresses: addresses, availIndex: 0,
                isReady: !isRefused || refusal != .disabled)
        }
    }

    @Test(
        "A kick waits for a start that was refused, and is answered with a later one",
        arguments: Refusal.allCases)
    func refusedStart(refusal: Refusal) throws {
        var service = try device.makeService()
        device.enableQueues()
        device.offerFrame()
        try device.start(&service)
        let kick = try #require(device.kernel.kicks[1])
        refuse(refusal, true)
        kick.event.signal()
        try device.step(&service)
        #expect(device.rings[1].usedIndex == 0 && kick.event.drain() == 0)
        refuse(refusal, false)
        try device.step(&service)
        #expect(device.rings[1].usedIndex == 1)
        #expect(device.kernel.interrupts == [1])
    }

    @Test("A kick that waits for a start is forgotten with a reset")
    func resetForgets() throws {
        var service = try device.makeService()
        device.enableQueues()
        try device.start(&service)
        refuse(.noMemory, true)
        device.kernel.kick(1)
        try device.step(&service)
        refuse(.noMemory, false)
        try device.start(&service)
        #expect(device.kernel.mapCount == 0 && service.startCount == 2)
    }

    @Test("A device that was taken over serves a queue that could not start at first")
    func takeOver() throws {
        device.enableQueues()
        device.rings[1].availIndex = 5
        device.rings[1].usedIndex = 5
        device.offerFrame()
        device.kernel.isRunning = true
        device.kernel.refusesRegions = true
        var service = try device.makeService()
        try service.takeOver()
        try device.step(&service)
        #expect(device.rings[1].usedIndex == 5)
        device.kernel.refusesRegions = false
        try device.step(&service)
        #expect(device.rings[1].usedIndex == 6)
        #expect(device.card.counts(1).packets == 1 && device.card.counts(1).errors == 0)
    }

    @Test("A message that comes with a kick of the queue's last life starts nothing in its next one")
    func kickOfAnEarlierLife() throws {
        var service = try device.makeService()
        device.enableQueues()
        try device.start(&service)
        device.kernel.kick(1)
        for status in [0, 1, 3, 0xb, 0xf] as [UInt8] {
            device.kernel.send(.setStatus(DeviceStatus(rawValue: status)))
        }
        try device.step(&service)
        #expect(service.startCount == 2 && device.kernel.mapCount == 0)
    }

    // MARK: Interrupts

    @Test("An interrupt that the kernel refuses is made again until it takes it, once")
    func refusedInterrupt() throws {
        var service = try device.makeService()
        device.enableQueues()
        device.offerFrame()
        try device.start(&service)
        device.kernel.refusedInterrupts = 2
        device.kernel.kick(1)
        try device.step(&service)
        for _ in 0..<3 { try device.step(&service) }
        #expect(device.rings[1].usedIndex == 1)
        #expect(device.kernel.interrupts == [1])
    }

    @Test("The interrupts of a take-over are made again as well")
    func refusedInterruptAtTakeOver() throws {
        device.enableQueues()
        device.kernel.isRunning = true
        device.kernel.refusedInterrupts = 1
        var service = try device.makeService()
        try service.takeOver()
        #expect(device.kernel.interrupts == [1])
        try device.step(&service)
        #expect(device.kernel.interrupts == [1, 0])
    }

    @Test(
        "An interrupt that was refused is none once the device has stopped",
        arguments: [.reset, [.acknowledge, .driver, .featuresOK]] as [DeviceStatus])
    func interruptAfterStop(status: DeviceStatus) throws {
        var service = try device.makeService()
        device.enableQueues()
        device.offerFrame()
        try device.start(&service)
        device.kernel.refusedInterrupts = 100
        device.kernel.kick(1)
        try device.step(&service)
        device.kernel.send(.setStatus(status))
        try device.step(&service)
        device.kernel.refusedInterrupts = 0
        device.kernel.send(.setStatus([.acknowledge, .driver, .featuresOK, .driverOK]))
        try device.step(&service)
        #expect(device.kernel.interrupts.isEmpty)
    }

    // MARK: Where a queue stands

    @Test("A queue that was disabled stops when it is asked for, and stands where it stopped")
    func disabledQueue() throws {
        var service = try device.makeService()
        device.enableQueues()
        device.offerFrame()
        try device.start(&service)
        device.kernel.kick(1)
        try device.step(&service)
        refuse(.disabled, true)
        device.kernel.send(.queueState(queue: 1))
        try device.step(&service)
        #expect(device.kernel.outcomes.last == .queueState(queue: 1, availIndex: 1))
        // What is true stays true.
        device.offerFrame()
        device.card.kick(1..<2)
        device.card.settle()
        device.kernel.send(.queueState(queue: 1))
        try device.step(&service)
        #expect(device.rings[1].usedIndex == 1)
        #expect(device.kernel.outcomes.last == .queueState(queue: 1, availIndex: 1))
        refuse(.disabled, false)
        device.kernel.kick(1)
        try device.step(&service)
        #expect(device.rings[1].usedIndex == 2 && device.rings[1].usedElement(1).head == 1)
    }

    @Test(
        "A queue of a device that its driver has stopped stands where it stopped, until the driver moves it")
    func stoppedDevice() throws {
        var service = try device.makeService()
        device.enableQueues()
        device.offerFrame()
        try device.start(&service)
        device.kernel.kick(1)
        try device.step(&service)
        device.kernel.send(.setStatus([.acknowledge, .driver, .featuresOK]))
        device.kernel.send(.queueState(queue: 1))
        try device.step(&service)
        #expect(device.kernel.outcomes.last == .queueState(queue: 1, availIndex: 1))
        device.enableQueues(at: 7)
        device.kernel.send(.queueState(queue: 1))
        try device.step(&service)
        #expect(device.kernel.outcomes.last == .queueState(queue: 1, availIndex: 7))
        device.rings[1].availIndex = 7
        device.rings[1].usedIndex = 5
        device.offerFrame()
        device.kernel.send(.setStatus([.acknowledge, .driver, .featuresOK, .driverOK]))
        try device.step(&service)
        device.kernel.kick(1)
        device.kernel.send(.queueState(queue: 1))
        try device.step(&service)
        device.kernel.send(.queueState(queue: 1))
        try device.step(&service)
        #expect(device.kernel.outcomes.last == .queueState(queue: 1, availIndex: 8))
        #expect(device.card.counts(1).packets == 2)
        device.kernel.send(.setStatus(.reset))
        device.enableQueues()
        device.kernel.send(.queueState(queue: 1))
        try device.step(&service)
        #expect(device.kernel.outcomes.last == .queueState(queue: 1, availIndex: 0))
    }

    // MARK: A worker's end

    @Test("A worker's end comes through behind whatever else was reported")
    func endBehindEvents() throws {
        var service = try device.makeService()
        for _ in 0..<2 * ServiceEvents.limit {
            device.events.append(.queueBroken(VirtQueueError(.misalignedRing(0)), queue: 0))
        }
        device.events.append(.failed(Self.failure))
        #expect(try next(&service) == .failed(Self.failure))
    }

    @Test(
        "What waits for the control thread is limited, and the first end of a worker is the one that counts")
    func limit() throws {
        let other = WorkerFailure(worker: "another", EventLoopFailure(signalRefused: .ioError))
        for _ in 0..<2 * ServiceEvents.limit {
            device.events.append(.queueBroken(VirtQueueError(.misalignedRing(0)), queue: 0))
        }
        device.events.append(.failed(Self.failure))
        device.events.append(.failed(other))
        let events = device.events.take()
        #expect(events.count == ServiceEvents.limit + 1)
        guard case .failed(Self.failure)? = events.last else {
            Issue.record("the last event is no end")
            return
        }
        #expect(device.events.take().isEmpty)
    }

    @Test("A worker's end comes through where nobody could signal it, and before somebody's interrupt")
    func endWithoutSignal() throws {
        let dataPath = WatchedDataPath()
        var service = try device.makeService(dataPath)
        #expect(try next(&service) == nil)
        dataPath.fail()
        device.interrupt.event.signal()
        #expect(try next(&service) == .failed(Self.failure))
    }
}
