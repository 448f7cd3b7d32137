@testable import emu

extension RunReport {
    /// A run in which everything went well, to change one thing of.
    static var sample: RunReport {
        var report = RunReport(
            device: "sim", memoryBytes: 1 << 30, queues: 1,
            setup: Setup(
                guest: "generator", wire: "loopback", persistPolicy: "auto", lostRings: "start-over",
                interval: 200_000,
                duration: 10_000_000, sections: 6,
                features: "0x100000000 (VERSION_1)", backendFeatures: "0x100 (IOTLB_PERSIST)"),
            persist: Persist(offered: true, acknowledged: true), cycles: 48, idleStops: 0,
            failedSuspends: 0, ringRecoveries: 0, ringRestarts: 0,
            packets: Packets(
                sent: 1_234_567, received: 1_234_567, lost: 0, duplicated: 0, corrupted: 0, abandoned: 0,
                deviceDrops: 0),
            accounts: [.sample(0), .sample(1)],
            iotlb: IOTLB(
                updates: 6, invalidates: 0, batches: 1, perCycle: IOTLB.PerCycle(updates: 0, invalidates: 0)),
            faults: 0, recentFaults: [], cycleTime: CycleTime(p50: 152.5, p99: nil, max: 1310),
            throughput: 123_457,
            trafficTime: 10_000_000, runningTime: 9_800_000.25, wallTime: 10_010_000, deviceErrors: 0,
            driverErrors: 0,
            unsent: 0, untaken: 0, recoveries: 0, lostPorts: [], captures: [],
            resources: Resources(pinned: .init(first: 0, last: 0), descriptors: .init(first: 9, last: 9)),
            processorWait: 0.01, ending: .done, interrupted: false, failure: nil, verdict: .ok, problems: [],
            remarks: [])
        report.judge()
        return report
    }

    /// The sample between two TAPs: `out` frames from the guest's to the wire's, `back` the other way.
    static func betweenTAPs(
        out: UInt64 = 1000, back: UInt64 = 500, _ change: (inout RunReport) -> Void = { _ in }
    ) -> RunReport {
        sample {
            $0.setup.guest = "tap:ta@left"
            $0.setup.wire = "tap:tb"
            $0.packets = Packets(
                sent: out, received: back, lost: 0, duplicated: 0, corrupted: 0, abandoned: 0, deviceDrops: 0)
            $0.accounts = [.sample(0, back), .sample(1, out)]
            change(&$0)
        }
    }

    /// The sample after `change`, with the verdict on it.
    static func sample(_ change: (inout RunReport) -> Void) -> RunReport {
        var report = sample
        change(&report)
        report.judge()
        return report
    }
}

extension RunReport.QueueAccount {
    /// A queue that has carried `count` frames.
    static func sample(_ queue: Int, _ count: UInt64 = 1_234_567) -> Self {
        let side = Side(entered: count, left: count)
        return Self(
            queue: queue, direction: queue & 1 == 0 ? "receive" : "transmit", driver: side, device: side,
            missingInRing: 0)
    }
}
