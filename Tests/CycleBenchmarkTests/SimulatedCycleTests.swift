import CycleBenchmark
import EmulatedMachine
import Foundation
import Glibc
import GuestMemory
import SimulatedVDPA
import TestSupport
import Testing

@Suite("The benchmark on the simulation", .timeLimit(.minutes(15)))
struct SimulatedCycleTests {
    static let sections = 6.0

    private func measure(
        _ device: String = "sim", memory: [ByteCount] = [.mebibytes(64)],
        strategies: [CycleStrategy] = CycleStrategy.allCases, cycles: Int = 4, regions: Int? = nil,
        queuePairs: Int = 1
    ) throws -> CycleReport {
        CycleReport(
            try outcome(
                device, memory: memory, strategies: strategies, cycles: cycles, regions: regions,
                queuePairs: queuePairs))
    }

    private func outcome(
        _ device: String = "sim", memory: [ByteCount] = [.mebibytes(64)],
        strategies: [CycleStrategy] = CycleStrategy.allCases, cycles: Int = 4, regions: Int? = nil,
        queuePairs: Int = 1, models: Bool = false, observer: (any CycleObserver)? = nil,
        interrupt: RunInterrupt? = nil
    ) throws -> CycleOutcome {
        let specification = try SimulatedDeviceSpecification(parsing: device)
        var plan = CyclePlan(
            device: .simulated(specification), deviceName: device, memory: memory, strategies: strategies,
            cycles: cycles)
        plan.regions = regions
        plan.queuePairs = queuePairs
        plan.modelsMissingMemory = models
        plan.patience = .seconds(1)
        return try CycleBenchmark(plan, logger: .quiet, observer: observer, interrupt: interrupt).run()
    }

    /// Messages of one cycle.
    struct Messages: Sendable {
        let strategy: CycleStrategy
        let maps: Double
        let unmaps: Double
        let batches: Double

        init(strategy: CycleStrategy, maps: Double, unmaps: Double? = nil, batches: Double) {
            self.strategy = strategy
            self.maps = maps
            self.unmaps = unmaps ?? maps
            self.batches = batches
        }
    }

    @Test(
        "persist and resume send no map message and no batch marker, remapping sends every section",
        arguments: [
            Messages(strategy: .persist, maps: 0, batches: 0),
            Messages(strategy: .resume, maps: 0, batches: 0),
            Messages(strategy: .remap, maps: sections, batches: 2),
            // The page whose UPDATE the device must answer is cut off a section.
            Messages(strategy: .remapVerified, maps: sections + 1, unmaps: sections, batches: 2),
            Messages(strategy: .remapUnbatched, maps: sections, batches: 0),
        ])
    func messages(_ expected: Messages) throws {
        // All strategies take turns on the one device: what one acknowledges must not leak into the next.
        let report = try measure()
        let result = try #require(report.results.first { $0.strategy == expected.strategy })
        #expect(result.perCycle.updates == expected.maps)
        #expect(result.perCycle.invalidates == expected.unmaps)
        #expect(result.perCycle.batches == expected.batches)
        #expect(result.cycles == 4)
        #expect(report.problems.isEmpty)
    }

    @Test("resume makes two calls")
    func resumeCalls() throws {
        let report = try measure(strategies: [.resume])
        #expect(report.results.first?.perCycle.ioctls == 2)
    }

    @Test("pinned memory is mapped in five openings, in turns with io_uring's registration of it")
    func firstMap() throws {
        let outcome = try self.outcome(
            "sim,use-va=off,memlock=unlimited", strategies: [.persist], cycles: 1)
        let first = try #require(outcome.firstMaps.first)
        #expect(outcome.firstMaps.count == 1)
        #expect(first.openings == 5)
        // A machine whose limit of locked memory is too low says so in its place.
        #expect((first.registerBuffers ?? 0 > 0) == (first.obstacle == nil))
        #expect(try self.outcome("sim", strategies: [.persist], cycles: 1).firstMaps.isEmpty)
    }

    @Test("only the phases a strategy has take time")
    func phases() throws {
        let report = try measure(strategies: [.remap, .persist, .resume])
        func phases(_ strategy: CycleStrategy) throws -> Set<String> {
            let result = try #require(report.results.first { $0.strategy == strategy })
            return Set(result.phases.filter { $0.value > 0 }.keys)
        }
        let all = Set(CyclePhase.allCases.map(\.rawValue))
        #expect(try phases(.remap) == all)
        #expect(try phases(.persist) == all.subtracting(["map", "unmap"]))
        #expect(try phases(.resume) == ["drain", "suspend", "enable"])
    }

    @Test("a device without PERSIST or RESUME is measured without them, and the report says why")
    func oldKernel() throws {
        let report = try measure("sim,kernel=6.1", strategies: [.remap, .persist, .resume])
        #expect(report.results.map(\.strategy) == [.remap])
        #expect(report.skipped.map(\.strategy) == [.persist, .resume])
        #expect(report.problems.isEmpty)
    }

    @Test("a size that the machine does not have is skipped by name, the others are measured")
    func tooLarge() throws {
        // Pinned memory must be there. Twice the machine's, which a sanitizer can still map.
        let large = Self.missing
        let outcome = try outcome(
            "sim,use-va=off,entries=1048576", memory: [large], strategies: [.persist])
        #expect(outcome.series.isEmpty)
        #expect(outcome.skips.map(\.memoryBytes) == [large.rawValue])
        #expect(outcome.skips.first?.reason.contains("\(large)") == true)
    }

    @Test("each queue pair adds its own calls to a cycle that keeps the maps, and none to one that resumes")
    func queuePairs() throws {
        func callsPerCycle(_ pairs: Int) throws -> [CycleStrategy: Double] {
            let report = try measure(
                "sim,queues=4", memory: [.mebibytes(128)], strategies: [.persist, .resume], queuePairs: pairs)
            #expect(report.problems.isEmpty)
            #expect(report.results.allSatisfy { $0.queuePairs == pairs })
            return Dictionary(
                uniqueKeysWithValues: report.results.map { ($0.strategy, $0.perCycle.ioctls) })
        }
        let calls = try (1...4).map(callsPerCycle)
        let steps = zip(calls, calls.dropFirst()).map { ($1[.persist] ?? 0) - ($0[.persist] ?? 0) }
        #expect(Set(steps).count == 1 && steps[0] > 0, "\(calls)")
        #expect(Set(calls.map { $0[.resume] }).count == 1, "\(calls)")
    }

    /// More than the machine has, as far as a sanitizer can map it.
    private static var missing: ByteCount {
        let memory = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        return .gibibytes(2 + ((2 * memory) >> 30))
    }

    @Test("memory is touched, or marked as modelled where that was asked for, or its size is skipped by name")
    func modelled() throws {
        let sizes = [ByteCount.mebibytes(64), Self.missing]
        let modelled = CycleReport(
            try outcome(memory: sizes, strategies: [.persist], cycles: 1, models: true))
        #expect(modelled.results.map(\.modelled) == [false, true])
        #expect(modelled.results.map(\.memoryBytes) == sizes.map(\.rawValue))
        #expect(modelled.skipped.isEmpty && modelled.problems.isEmpty)
        let touched = CycleReport(try outcome(memory: sizes, strategies: [.persist], cycles: 1))
        #expect(touched.results.map(\.memoryBytes) == [64 << 20])
        #expect(touched.skipped.map(\.memoryBytes) == [Self.missing.rawValue])
        #expect(touched.skipped.first?.reason.contains("--modelled") == true)
    }

    @Test("the memory of a device that pins nothing is there before it is mapped")
    func touched() throws {
        final class Look: CycleObserver {
            private(set) var allocated: UInt64 = 0
            func willPrepare(_ memory: ByteCount) {}
            func didBeginMeasuring(_ memory: ByteCount) {
                let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
                let line = text.split(separator: "\n").first { $0.hasPrefix("RssShmem:") }
                allocated = line.flatMap { UInt64($0.filter(\.isNumber)) }.map { $0 << 10 } ?? 0
            }
            func willEnd() {}
            func didCycle(_ memory: ByteCount, _ purpose: CycleSchedule.Turn.Purpose, done: Int, total: Int) {
            }
        }
        let look = Look()
        _ = try outcome(memory: [.mebibytes(96)], strategies: [.persist], cycles: 1, observer: look)
        #expect(look.allocated >= 96 << 20)
    }

    /// Raises an interrupt at the first call that `isTime` says.
    private final class Raiser: CycleObserver {
        enum Moment: Hashable, Sendable {
            case preparing(ByteCount)
            case cycle(CycleSchedule.Turn.Purpose)
        }

        private let interrupt: RunInterrupt
        private let moment: Moment

        init(_ interrupt: RunInterrupt, _ moment: Moment) {
            self.interrupt = interrupt
            self.moment = moment
        }

        func willPrepare(_ memory: ByteCount) { if moment == .preparing(memory) { interrupt.raise() } }
        func didBeginMeasuring(_ memory: ByteCount) {}
        func willEnd() {}
        func didCycle(_ memory: ByteCount, _ purpose: CycleSchedule.Turn.Purpose, done: Int, total: Int) {
            if moment == .cycle(purpose) { interrupt.raise() }
        }
    }

    private func interrupted(_ moment: Raiser.Moment, cycles: Int) throws -> CycleReport {
        let interrupt = try RunInterrupt()
        let raiser = Raiser(interrupt, moment)
        return CycleReport(
            try outcome(
                memory: [.mebibytes(64), .mebibytes(128)], strategies: [.remap, .persist], cycles: cycles,
                observer: raiser, interrupt: interrupt))
    }

    @Test("an endless benchmark ends when somebody asks, with the cycles it has")
    func endless() throws {
        let report = try interrupted(.cycle(.whole), cycles: .max)
        #expect(report.interrupted)
        #expect(report.results.map(\.strategy) == [.remap, .persist])
        #expect(
            report.results.allSatisfy { $0.cycles > 0 && $0.memoryBytes == 64 << 20 && $0.downtime == nil })
        #expect(report.problems.isEmpty)
    }

    @Test("interrupted while the next size is filled, or under traffic, it keeps what was measured")
    func partial() throws {
        let filling = try interrupted(.preparing(.mebibytes(128)), cycles: 2)
        #expect(filling.interrupted && filling.problems.isEmpty)
        #expect(filling.results.map(\.memoryBytes) == [64 << 20, 64 << 20])
        #expect(filling.results.allSatisfy { $0.downtime != nil })
        let traffic = try interrupted(.cycle(.traffic), cycles: 6)
        #expect(traffic.interrupted && traffic.problems.isEmpty)
        #expect(traffic.results.map(\.cycles) == [6, 6])
        #expect(traffic.results.map(\.downtimeCycles) == [1, 0])
    }

    @Test("a device after whose start no frame comes back is a problem, and its cycles are no results")
    func silent() throws {
        let outcome = try outcome("sim,fault=loses-maps", strategies: [.remap, .persist], cycles: 1)
        #expect(outcome.problems == ["64M, persist: no frame came back after a stop and start"])
        #expect(outcome.series.isEmpty)
    }

    @Test("what fails after something was measured leaves it there, and is a problem by name")
    func brokenOff() throws {
        // The second size has more pieces than entries. Pins would not do: other tests' are the same process's.
        let report = CycleReport(
            try outcome(
                "sim,use-va=off,memlock=unlimited,fragment=1M,entries=100",
                memory: [.mebibytes(64), .mebibytes(128)], strategies: [.persist], cycles: 1))
        #expect(report.results.map(\.memoryBytes) == [64 << 20])
        #expect(report.problems.count == 1)
        #expect(report.problems.first?.hasPrefix("128M: the benchmark broke off: ") == true)
    }

    @Test("the JSON has every field of its schema, null where nothing was measured")
    func schema() throws {
        let report = try measure(strategies: [.persist], cycles: 2)
        let object = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(report)) as? [String: Any])
        #expect(object["machine"] is [String: Any])
        let result = try #require((object["results"] as? [[String: Any]])?.first)
        let keys: Set<String> = [
            "strategy", "device", "memoryBytes", "pageKind", "pinned", "regions", "queuePairs",
            "contiguousRuns", "modelled", "cycles", "cycle", "downtime", "suspendToEnable", "downtimeCycles",
            "phases", "perCycle",
        ]
        #expect(Set(result.keys) == keys)
        let times: Set<String> = ["p50", "p25", "p75", "p99", "min", "max", "modes"]
        for measure in ["cycle", "downtime", "suspendToEnable"] {
            #expect((result[measure] as? [String: Any]).map { Set($0.keys) } == times, "\(measure)")
        }
        #expect(
            Set(object.keys) == [
                "command", "version", "date", "machine", "interrupted", "results", "firstMaps", "skipped",
                "problems",
                "loads", "remarks",
            ])
        #expect(
            (result["phases"] as? [String: Double]).map { Set($0.keys) }
                == Set(CyclePhase.allCases.map(\.rawValue)))
        #expect(
            (result["perCycle"] as? [String: Double]).map { Set($0.keys) }
                == ["updates", "invalidates", "batches", "ioctls"])
    }

    @Test("the CSV has one line for each time that was measured, under one head")
    func csv() throws {
        let text = CycleCSV.text(try outcome(strategies: [.persist, .resume], cycles: 3))
        let lines = text.split(separator: "\n")
        // Of each strategy three whole cycles, and two under traffic with two measures each.
        #expect(lines.count == 1 + 2 * (3 + 2 * 2))
        let columns = lines[0].split(separator: ",").count
        #expect(
            lines.allSatisfy { $0.split(separator: ",", omittingEmptySubsequences: false).count == columns })
    }

    @Test("under traffic no frame is lost, and the downtime contains suspend to enable")
    func downtime() throws {
        let outcome = try outcome(strategies: [.remap, .persist, .resume], cycles: 6)
        #expect(outcome.problems.isEmpty)
        for series in outcome.series {
            #expect(series.downtimes.count == 3)
            #expect(series.spans.count == 3)
            for (downtime, span) in zip(series.downtimes.values, series.spans.values) {
                #expect(downtime > 0 && span > 0)
                #expect(downtime >= span, "\(series.strategy)")
            }
        }
    }

    @Test("memory is mapped in as many regions as asked for", arguments: [1, 2, 5, 6, 7, 40])
    func regions(count: Int) throws {
        let report = try measure(strategies: [.remap, .persist], cycles: 1, regions: count)
        let remap = try #require(report.results.first { $0.strategy == .remap })
        #expect(remap.regions == count)
        #expect(remap.memoryBytes == ByteCount.mebibytes(64).rawValue)
        #expect(remap.perCycle.updates == Double(count))
        #expect(remap.perCycle.invalidates == Double(count))
        #expect(report.problems.isEmpty)
    }

    @Test("more regions than there are pages for are refused with the sizes")
    func tooManyRegions() throws {
        let error = #expect(throws: MachineError.self) {
            _ = try measure(strategies: [.persist], cycles: 1, regions: 1 << 20)
        }
        #expect(error.map { "\($0)" }?.contains("use fewer regions or more memory") == true)
    }
}
