@testable import emu

extension RunReport {
    /// A run in which everything went well, to change one thing of.
    static var sample: RunReport {
        RunReport(
            device: "sim", memoryBytes: 1 << 30, queues: 1,
            setup: Setup(
                guest: "generator", wire: "loopback", persistPolicy: "auto", interval: 200_000, sections: 6,
                features: "0x100000000 (VERSION_1)", backendFeatures: "0x100 (IOTLB_PERSIST)"),
            persist: Persist(offered: true, acknowledged: true), cycles: 48,
            packets: Packets(
                sent: 1_234_567, received: 1_234_567, lost: 0, duplicated: 0, corrupted: 0, abandoned: 0,
                deviceDrops: 0),
            iotlb: IOTLB(
                updates: 6, invalidates: 0, batches: 1, perCycle: IOTLB.PerCycle(updates: 0, invalidates: 0)),
            faults: 0, recentFaults: [], cycleTime: CycleTime(p50: 152.5, p99: 1310), throughput: 2_930_000,
            runningTime: 9_800_000.25, deviceErrors: 0, driverErrors: 0, unsent: 0, recoveries: 0,
            resources: Resources(pinned: .init(first: 0, last: 0), descriptors: .init(first: 9, last: 9)),
            interrupted: false, problems: [])
    }

    /// The sample after `change`, with the verdict on it.
    static func sample(_ change: (inout RunReport) -> Void) -> RunReport {
        var report = sample
        change(&report)
        report.problems = report.findProblems()
        return report
    }
}
