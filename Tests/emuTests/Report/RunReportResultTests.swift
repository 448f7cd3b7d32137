import ArgumentParser
import GuestMemory
import SystemPackage
import Testing
import VhostVDPA
import Virtio
import VirtioNet

@testable import EmulatedMachine
@testable import VhostVDPABackend
@testable import emu

/// A report made from a result in which every number is another, so that none can stand for another.
@Suite struct RunReportResultTests {
    private func side(_ first: UInt64) -> FrameAccount {
        var side = FrameAccount()
        (side.left, side.noBuffer, side.refused, side.tooLong) = (first, first + 1, first + 2, first + 3)
        (side.malformed, side.filtered, side.abandoned, side.pending) = (
            first + 4, first + 5, first + 6, first + 7
        )
        side.cut = first + 8
        side.lastRefusal = Int32(first) % 90
        side.entered = 8 * first + 28
        return side
    }

    private func counts(_ first: UInt64) -> QueueCounts {
        var counts = QueueCounts()
        (counts.packets, counts.bytes, counts.drops, counts.errors) = (first, first + 1, first + 2, first + 3)
        (counts.kicks, counts.calls, counts.faults) = (first + 4, first + 5, first + 6)
        return counts
    }

    private var cycles: CycleStatistics {
        var cycles = CycleStatistics()
        for index in 1...150 {
            var counts = DeviceCallCounts()
            (counts.updates, counts.invalidates, counts.batches, counts.ioctls) = (7, 6, 2, 21)
            if index == 1 { (counts.updates, counts.invalidates) = (22, 36) }
            cycles.add(
                CycleMeasurement(
                    duration: .milliseconds(index), stopDuration: .microseconds(index), counts: counts,
                    rings: index > 5 ? .kept : index > 3 ? .recovered : .startedOver))
        }
        return cycles
    }

    private var frames: FrameCounts {
        var frames = FrameCounts()
        (frames.sent, frames.received, frames.duplicated, frames.reordered) = (901_000, 900_000, 31, 32)
        (frames.corrupted, frames.foreign, frames.unsent, frames.abandoned) = (33, 34, 35, 36)
        return frames
    }

    private func result(
        _ ending: RunEnding = .timeWasUp, settlement: RunSettlement = RunSettlement(),
        device: QueueCounts? = nil, foreign: UInt64 = 34
    ) throws -> RunResult {
        var frames = frames
        frames.foreign = foreign
        let range = try #require(
            IOVARange(first: IOVirtualAddress(rawValue: 0), last: IOVirtualAddress(rawValue: .max)))
        var calls = DeviceCallCounts()
        (calls.updates, calls.invalidates, calls.batches, calls.ioctls) = (1101, 1102, 1103, 1104)
        return RunResult(
            ending: ending,
            negotiated: NegotiatedDevice(
                deviceID: .network, deviceFeatures: [.version1, .mac],
                offeredBackendFeatures: [.iotlbPersist, .suspend],
                iovaRange: range, vringCount: 2, maximumVringSize: 256, groupCount: 1, addressSpaceCount: 1,
                configuration: []),
            acknowledgedBackendFeatures: [.suspend], acceptedFeatures: [.version1], cycles: cycles,
            failedSuspends: 41, ringRestarts: 51, idleStops: 42,
            settlement: settlement,
            times: RunTimes(traffic: .seconds(3), running: .milliseconds(2500), wall: .seconds(4)),
            accounts: [
                QueueAccount(queue: 0, role: .receive(0), driver: side(100), device: side(200)),
                QueueAccount(queue: 1, role: .transmit(0), driver: side(300), device: side(400)),
            ],
            frames: frames, received: counts(2000), transmitted: counts(3000), device: device,
            deviceErrors: 43, faults: 44,
            recentFaults: [TranslationFault(address: IOVirtualAddress(rawValue: 0x5000), access: .read)],
            recoveries: 45, lostPorts: [.tap(name: "ta", namespace: "left")],
            movedPorts: [],
            captures: [
                PortCapture(
                    end: .guest, path: "g.pcapng",
                    outcome: CaptureFile.Outcome(recorded: 2001, unrecorded: 0, failure: nil)),
                PortCapture(
                    end: .wire, path: "w.pcapng",
                    outcome: CaptureFile.Outcome(
                        recorded: 2002, unrecorded: 2003, failure: .refused(.noSpace))),
            ],
            firstResources: ProcessResources(pinned: ByteCount(46), descriptors: 47),
            lastResources: ProcessResources(pinned: ByteCount(48), descriptors: 50),
            processorTime: ProcessorTime(schedstats: ["100 300 1"]), counts: calls)
    }

    private func report(_ result: RunResult, _ arguments: String...) throws -> RunReport {
        let command = try #require(
            try Emu.parseAsRoot(["run", "--duration", "3s"] + arguments) as? RunCommand)
        return RunReport(result, options: try command.options(), sections: 6)
    }

    @Test("Every number of a result has its place in the report")
    func everyNumber() throws {
        let report = try report(
            try result(), "--memory", "2G", "--interval", "7ms", "--cycles", "900", "--packets", "77",
            "--lost-rings", "recover")
        #expect(report.device == "sim" && report.memoryBytes == 2 << 30 && report.queues == 1)
        #expect(
            report.setup.interval == 7000 && report.setup.duration == 3_000_000 && report.setup.cycles == 900)
        #expect(report.setup.packets == 77 && report.setup.sections == 6)
        #expect(report.setup.guest == "generator" && report.setup.wire == "loopback")
        #expect(report.persist == .init(offered: true, acknowledged: false))
        #expect(report.cycles == 150 && report.idleStops == 42 && report.failedSuspends == 41)
        #expect(report.ringRestarts == 51)
        #expect(report.ringRecoveries == 2 && report.setup.lostRings == "recover")
        #expect(
            report.iotlb.updates == 1101 && report.iotlb.invalidates == 1102 && report.iotlb.batches == 1103)
        #expect(report.iotlb.perCycle == .init(updates: 7.1, invalidates: 6.2))
        #expect(report.packets.sent == 901_000 && report.packets.received == 900_000)
        #expect(report.packets.duplicated == 31 && report.packets.corrupted == 33 && report.unsent == 35)
        #expect(report.packets.abandoned == 36)
        #expect(report.throughput == 300_000)
        #expect(report.trafficTime == 3e6 && report.runningTime == 2.5e6 && report.wallTime == 4e6)
        #expect(report.deviceErrors == 43 && report.driverErrors == 2003 + 3003)
        #expect(
            report.faults == 44 && report.recentFaults == [.init(address: "0x5000", access: "read", count: 1)]
        )
        #expect(report.recoveries == 45)
        #expect(report.lostPorts == ["tap:ta@left"])
        #expect(
            report.captures == [
                .init(end: "guest", file: "g.pcapng", frames: 2001, unrecorded: 0),
                .init(
                    end: "wire", file: "w.pcapng", frames: 2002, unrecorded: 2003,
                    failure: "No space left on device"),
            ])
        #expect(report.resources.pinned == .init(first: 46, last: 48))
        #expect(report.resources.descriptors == .init(first: 47, last: 50))
        #expect(report.processorWait == 0.75)
        #expect(report.remarks.count == 1)
        let time = try #require(report.cycleTime)
        #expect((time.p50 / 75_000 - 1).magnitude < 0.001)
        #expect(((time.p99 ?? 0) / 149_000 - 1).magnitude < 0.001)
        #expect(time.max == 150_000)
    }

    @Test("Every counter of an account has its place in the report")
    func everyCounter() throws {
        let report = try report(try result())
        for (account, (driver, device)) in zip(report.accounts, [(UInt64(100), UInt64(200)), (300, 400)]) {
            for (side, first) in [(account.driver, driver), (try #require(account.device), device)] {
                #expect(side.left == first && side.noBuffer == first + 1 && side.refused == first + 2)
                #expect(
                    side.tooLong == first + 3 && side.malformed == first + 4 && side.filtered == first + 5)
                #expect(side.abandoned == first + 6 && side.pending == first + 7 && side.cut == first + 8)
                #expect(side.entered == 8 * first + 28 && side.missing == 0)
                #expect(side.lastRefusal == Int32(first) % 90)
            }
        }
        #expect(report.accounts.map(\.direction) == ["receive", "transmit"])
        // What the device returned less what the driver found, and what it took less what the driver has back.
        #expect(report.accounts.map(\.missingInRing) == [200 - 828, 3228 - 300])
    }

    @Test("Frames that a named counter holds are not lost, and the others are")
    func heldFrames() throws {
        // 964 are outstanding; 1,515, 2,515 and more are dropped by name.
        #expect(try report(try result()).packets.lost == 0)
        var plain = FrameAccount()
        (plain.noBuffer, plain.filtered) = (3, 1)
        let some = try result().with(accounts: [
            QueueAccount(queue: 0, role: .receive(0), driver: FrameAccount(), device: plain)
        ]
        )
        #expect(try report(some).packets.lost == 960)
        #expect(try report(some).packets.deviceDrops == 4)
        // Those of all queues, each with its own, and a simulated device's own are all there are.
        let two = try result(device: counts(2000)).with(
            accounts: [0, 1].map {
                QueueAccount(queue: $0, role: .receive($0), driver: FrameAccount(), device: plain)
            })
        #expect(try report(two).packets.deviceDrops == 8)
        #expect(try report(two).packets.lost == 956)
        // What the device had not taken when somebody asked for the end is still in the ring.
        var pending = FrameAccount()
        pending.pending = 900
        let waiting = [QueueAccount(queue: 1, role: .transmit(0), driver: pending, device: nil)]
        let hurried = RunSettlement(wasHurried: true, standing: 900)
        for ending in [RunEnding.interrupted, .deviceWentAway, .timeWasUp] {
            let report = try report(try result(ending, settlement: hurried).with(accounts: waiting))
            #expect(report.packets.lost == 64 && report.untaken == 0)
        }
        // What it had not taken when nobody waited any longer, nobody having asked, is lost.
        let given = RunSettlement(standing: 900)
        let left = try report(try result(.done, settlement: given).with(accounts: waiting))
        #expect(left.packets.lost == 964 && left.untaken == 900)
        // A real device's parent counts its drops, beside the driver's own.
        var parent = QueueCounts()
        parent.drops = 900
        let sides = [QueueAccount(queue: 0, role: .receive(0), driver: plain, device: nil)]
        let real = try result(device: parent, foreign: 0).with(accounts: sides)
        let report = try report(real, "--device", "/dev/vhost-vdpa-0")
        #expect(report.packets.deviceDrops == 900)
        #expect(report.packets.lost == 60)
        // Where others send through it, they may be theirs.
        let shared = try result(device: parent, foreign: 1).with(accounts: sides)
        let cautious = try self.report(shared, "--device", "/dev/vhost-vdpa-0")
        #expect(cautious.packets.deviceDrops == 900)
        #expect(cautious.packets.lost == 960)
        #expect(report.setup.wire == nil)
    }

    @Test("Where nothing comes back nothing is lost, and where a TAP feeds the guest its queues count")
    func oneWay() throws {
        // 964 are outstanding, and no counter holds them.
        let plain = try result().with(accounts: [])
        #expect(try report(plain).packets.lost == 964)
        #expect(try report(plain, "--wire", "none").packets.lost == 0)
        #expect(try report(plain, "--guest", "tap:ta").packets.lost == 0)
        let packets = try report(try result(), "--guest", "tap:ta", "--wire", "tap:tb").packets
        #expect(packets.sent == 3000 && packets.received == 2000 && packets.lost == 0)
        #expect(packets.abandoned == 106 + 206 + 306 + 406)
    }

    @Test(
        "The ending is the run's",
        arguments: [
            (RunEnding.done, RunReport.Ending.done, nil), (.timeWasUp, .timeWasUp, nil),
            (.stalled, .stalled, nil),
            (.interrupted, .interrupted, nil), (.deviceWentAway, .deviceWentAway, nil),
            (.brokeOff("why"), .brokeOff, "why"),
        ])
    func ending(ending: RunEnding, expected: RunReport.Ending, failure: String?) throws {
        let report = try report(try result(ending))
        #expect(report.ending == expected)
        #expect(report.failure == failure)
        #expect(report.interrupted == (ending == .interrupted))
    }

    @Test("The report goes through JSON and the summary with its numbers")
    func roundTrip() throws {
        let report = try report(try result(), "--cycles", "900")
        #expect(try RunReport.read(JSONText.encode(report)) == report)
        let text = RunSummary(report).text
        for words in [
            "901,000 sent, 900,000 received", "31 duplicated, 33 corrupted, 36 abandoned",
            "300 k packets/s over 3 s",
            "running time 2.5 s, wall time 4 s", "150 cycles, p50 75", "p99 149", "max 150 ms",
            "1,101 updates, 1,102 invalidates in 1,103 batches", "7.1 updates, 6.2 invalidates", "44\n",
            "read at 0x5000", "2,001 frames of the guest's port in g.pcapng",
            "the capture w.pcapng of the wire's port broke off after 2,002 frames: No space left on device; 2,003 more",
            "queue 1, transmit  driver 2,428 in, 300 out, 301 dropped for want of a buffer, 302 refused by the port",
            "308 of those out cut", "frames cut by the device", "WRONG: 44 DMA faults", "33 frames corrupted",
            "31 frames duplicated",
            "35 frames received that nobody sent",
            "43 broken chains or rings on the device's side",
            "5,006 broken chains or rings on the driver's side",
            "failed to suspend 41 times and asked for a reset 45 times", "2 more bytes pinned",
            "3 more open descriptors",
        ] {
            #expect(text.contains(words), "\(words) in \(text)")
        }
    }
}

extension RunResult {
    /// The same with other accounts.
    fileprivate func with(accounts: [QueueAccount]) -> RunResult {
        RunResult(
            ending: ending, negotiated: negotiated,
            acknowledgedBackendFeatures: acknowledgedBackendFeatures, acceptedFeatures: acceptedFeatures,
            cycles: cycles,
            failedSuspends: failedSuspends, ringRestarts: ringRestarts, idleStops: idleStops,
            settlement: settlement, times: times,
            accounts: accounts,
            frames: frames,
            received: received, transmitted: transmitted, device: device, deviceErrors: deviceErrors,
            faults: faults,
            recentFaults: recentFaults, recoveries: recoveries, lostPorts: lostPorts, movedPorts: movedPorts,
            captures: captures,
            firstResources: firstResources,
            lastResources: lastResources, processorTime: processorTime, counts: counts)
    }
}
