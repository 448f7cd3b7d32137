import EmulatedMachine
import GuestMemory
import SeededRandom
import TestSupport
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtQueue
import Virtio
import VirtioNet

/// What may change between a stop and a start, and before the first start.
@Suite("Between a stop and a start", .timeLimit(.minutes(15)))
struct ReconfigurationTests {
    enum Change: String, CaseIterable, Sendable {
        case nothing, guestReset, noEventIndex, noIndirect, noFeatures, allFeatures
        case smallestQueue, smallQueue, largestQueue, reprobe, plug, unplug

        /// Whether the driver starts over, so that frames in its rings are abandoned.
        var startsOver: Bool {
            switch self {
            case .nothing, .guestReset, .plug, .unplug: false
            default: true
            }
        }
    }

    @Test("a reset before the first DRIVER_OK follows the decision too", arguments: MapsCase.all)
    func resetBeforeFirstStart(_ testCase: MapsCase) throws {
        let machine = try makeMachine(testCase.device, persist: testCase.persist)
        let sections = machine.mappedSectionCount
        var before = machine.backend.counts
        for _ in 0..<3 { try machine.backend.reset() }
        var sent = machine.backend.counts - before
        #expect(sent.updates == 0)
        #expect(sent.invalidates == (testCase.keepsMaps ? 0 : sections))
        before = machine.backend.counts
        try machine.start()
        sent = machine.backend.counts - before
        #expect(sent.updates == (testCase.keepsMaps ? 0 : machine.mapMessageCount))
        machine.driver.startTraffic()
        try #require(machine.receives(1000))
        #expect(machine.settle().isFlawless)
        #expect(machine.simulation?.faultCount == 0)
    }

    @Test(
        "each change carries traffic afterwards, with nothing lost, duplicated or changed",
        arguments: MapsCase.all, Change.allCases)
    func oneChange(_ testCase: MapsCase, _ change: Change) throws {
        let machine = try makeMachine(testCase.device, persist: testCase.persist)
        try machine.start()
        machine.driver.startTraffic()
        try #require(machine.receives(300))
        try machine.stop()
        var module: MemoryModule?
        let before = machine.backend.counts
        try apply(change, to: machine, &module)
        try machine.start()
        let sent = machine.backend.counts - before
        if change != .plug, change != .unplug {
            #expect(sent.updates == (testCase.keepsMaps ? 0 : machine.mapMessageCount))
            #expect(sent.invalidates == 0)
        }
        try #require(machine.receives(1000))
        let frames = machine.settle()
        #expect(frames.isFlawless, "\(frames)")
        if !change.startsOver { #expect(frames.abandoned == 0) }
        #expect(machine.simulation?.faultCount == 0)
    }

    @Test(
        "any sequence of changes does",
        arguments: MapsCase.all, [1, 2, 3] as [UInt64])
    func sequences(_ testCase: MapsCase, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let machine = try makeMachine(testCase.device, persist: testCase.persist)
        var module: MemoryModule?
        var history: [Change] = []
        machine.driver.startTraffic()
        for _ in 0..<8 {
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let change = Change.allCases.randomElement(using: &random) ?? .nothing
                history.append(change)
                try apply(change, to: machine, &module)
            }
            try machine.start()
            let count = UInt64.random(in: 1...600, using: &random)
            try #require(machine.receives(count), "no traffic after \(history)")
            if Bool.random(using: &random), let plugged = module {
                try machine.unplug(plugged)
                module = nil
            }
            try machine.stop()
        }
        try machine.start()
        let frames = machine.settle()
        #expect(frames.isFlawless, "\(frames) after \(history)")
        #expect(machine.simulation?.faultCount == 0, "after \(history)")
    }

    /// Makes one change on a stopped machine. `module` is what is plugged in.
    private func apply(_ change: Change, to machine: EmulatedMachine, _ module: inout MemoryModule?) throws {
        var new = machine.driverConfiguration
        let indirect = VirtioFeatures.indirectDescriptors
        switch change {
        case .nothing: return
        case .guestReset: return try machine.backend.reset(reason: .guestReset)
        case .plug:
            if module == nil { module = try machine.plug(.mebibytes(8)) }
            return
        case .unplug:
            guard let plugged = module else { return }
            // Nothing comes back from a stopped device: the driver gives its rings up first.
            _ = machine.withdrawBuffers(patience: .zero)
            try machine.reprobe(machine.driverConfiguration)
            try machine.unplug(plugged)
            module = nil
            return
        case .noEventIndex: new.features.remove(.eventIndex)
        case .noIndirect: new.features.remove(indirect)
        case .noFeatures: new.features = []
        case .allFeatures: new.features = [.eventIndex, indirect]
        case .smallestQueue: new.queueSize = 1
        case .smallQueue: new.queueSize = 16
        case .largestQueue: new.queueSize = machine.backend.negotiated.maximumVringSize
        case .reprobe: break
        }
        try machine.reprobe(new)
    }
}
