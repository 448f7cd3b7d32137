import GuestMemory
import Testing

@testable import CycleBenchmark

@Suite("The machine's load")
struct MachineLoadTests {
    private static func load(
        average: Double = 0, others: Double?, preemptions: Int = 0, cycles: Int = 1000
    ) -> MachineLoad {
        MachineLoad(
            memoryBytes: 1 << 30, processors: 2, loadAverage: average, otherProcessors: others,
            preemptions: preemptions, cycles: cycles)
    }

    @Test(
        "is doubted where others take processors, or, unknown, where every processor was wanted",
        arguments: [
            (load(others: 0), false), (load(others: 0.49), false), (load(others: 0.5), true),
            // What was seen meanwhile counts more than the minute before.
            (load(average: 9, others: 0.01), false), (load(average: 1.9, others: nil), false),
            (load(average: 2, others: nil), true),
            // A thread that loses its processor loses it to its own device, unless others are there.
            (load(others: 0.02, preemptions: 500), false), (load(others: 0.1, preemptions: 9), false),
            (load(others: 0.1, preemptions: 10), true), (load(others: 0.1, preemptions: 2, cycles: 4), false),
        ])
    func doubted(_ load: MachineLoad, isBusy: Bool) { #expect(load.isBusy == isBusy) }

    @Test("is the kernel's account without idle time and what waits for disks")
    func ticks() {
        #expect(LoadMeter.busyTicks("cpu  1 20 300 4000 50000 600000 7000000 80000000 5 5") == 87_600_321)
        #expect(LoadMeter.busyTicks("cpu  1 20 300") == nil)
    }

    @Test(
        "is that of the processors that the benchmark may run on",
        arguments: [
            ([0], 111), ([1], 222), ([0, 1], 333), (nil, 336), ([2], nil), ([1, 2], nil), ([10], nil),
        ] as [(Set<Int>?, UInt64?)])
    func ofSome(processors: Set<Int>?, ticks: UInt64?) {
        let text = """
            cpu  114 220 2 9 9 0 0 0 0 0
            cpu0 1 110 0 4 4 0 0 0 0 0
            cpu1 110 110 2 5 5 0 0 0 0 0
            intr 2
            """
        #expect(LoadMeter.busyTicks(in: text, of: processors) == ticks)
    }

    @Test("of a moment is no share of others")
    func moment() {
        let load = LoadMeter().load(.gibibytes(1), cycles: 1, loadAverage: 0)
        #expect(load.otherProcessors == nil)
        #expect(load.memoryBytes == 1 << 30)
    }

    @Test(
        "dates are days and minutes of UTC",
        arguments: [
            (0, "1970-01-01 00:00 UTC"), (1_795_673_149, "2026-11-26 06:05 UTC"),
            (951_782_340, "2000-02-28 23:59 UTC"), (951_782_400, "2000-02-29 00:00 UTC"),
            (1_767_225_599, "2025-12-31 23:59 UTC"),
        ])
    func date(seconds: Int, text: String) { #expect(UTCDate.text(seconds) == text) }
}
