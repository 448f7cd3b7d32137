import ClientRules
import CycleBenchmark
import DeviceScripts
import Foundation
import Testing
import VhostVDPAConformance

@testable import emu

/// An output in which everything stands that can, and which changes of one thing leave it an output.
struct SchemaSample: Sendable, CustomTestStringConvertible {
    let schema: JSONSchema
    let text: String
    /// What may be missing.
    var optional: Set<String> = []
    /// What may be `null`.
    var nullable: Set<String> = []
    /// Numbers that may be below zero.
    var signed: Set<String> = []
    /// Numbers that have a limit above.
    var bounded: Set<String> = ["schemaVersion"]
    /// Texts of which only certain ones are taken; any text is taken elsewhere.
    var closed: Set<String> = []

    var testDescription: String { schema.rawValue }

    private init<Report: JSONResult>(_ report: Report) {
        schema = Report.schema
        text = JSONText.encode(report)
        closed = ["schema"]
    }

    var value: JSONValue {
        get throws { try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) }
    }

    /// Whether the schema is to take the sample with `change`.
    func takes(_ change: JSONChange) -> Bool {
        switch change.kind {
        case .removed: optional.contains(change.place)
        case .null: nullable.contains(change.place)
        case .negative: signed.contains(change.place)
        case .tooLarge: !bounded.contains(change.place)
        case .reworded: !closed.contains(change.place)
        case .retyped, .extended: false
        }
    }

    static let all = [
        run, runComparison, check, checkList, checkSequences, checkAll, checkSequencesAll, cycle, vduse, info,
        replay, replayRandom, exec, error,
    ]

    private static var fullReport: RunReport {
        var report = RunReport.sample
        report.setup.cycles = 48
        report.setup.packets = 1_234_567
        report.recentFaults = [RunReport.Fault(address: "0x1f000", access: "read and write", count: 3)]
        report.cycleTime = RunReport.CycleTime(p50: 152.5, p99: 1000.25, max: 1310)
        report.accounts[0].driver.lastRefusal = 5
        report.accounts[1].device?.lastRefusal = 5
        report.lostPorts = ["tap:ta@left"]
        report.captures = [
            RunReport.Capture(
                end: "wire", file: "wire.pcapng", frames: 7, unrecorded: 93,
                failure: "No space left on device")
        ]
        report.ending = .brokeOff
        report.failure = "the device is gone"
        report.verdict = .wrong
        report.problems = ["a problem"]
        report.remarks = ["a remark"]
        return report
    }

    static var run: SchemaSample {
        var sample = SchemaSample(fullReport)
        sample.optional = [
            "setup.wire", "setup.duration", "setup.cycles", "setup.packets", "cycleTime", "cycleTime.p99",
            "accounts.device", "accounts.missingInRing", "accounts.driver.lastRefusal",
            "accounts.device.lastRefusal", "resources.pinned", "resources.descriptors", "processorWait",
            "captures.failure",
        ]
        sample.signed = ["accounts.missingInRing", "accounts.driver.missing", "accounts.device.missing"]
        sample.bounded.insert("processorWait")
        sample.closed.formUnion([
            "setup.persistPolicy", "setup.lostRings", "accounts.direction", "recentFaults.address",
            "recentFaults.access",
            "ending", "captures.end",
            "verdict",
        ])
        return sample
    }

    static var runComparison: SchemaSample {
        var sample = SchemaSample(RunComparison(kept: fullReport, notNegotiated: fullReport))
        let run = run
        func inBoth(_ places: Set<String>) -> [String] {
            ["kept", "notNegotiated"].flatMap { name in places.map { "\(name).\($0)" } }
        }
        sample.optional = Set(inBoth(run.optional))
        sample.nullable = ["notNegotiated", "ratio"]
        sample.signed = Set(inBoth(run.signed))
        sample.bounded.formUnion(inBoth(run.bounded.subtracting(["schemaVersion"])))
        sample.closed.formUnion(inBoth(run.closed.subtracting(["schema"])) + ["verdict"])
        return sample
    }

    private static var fullCheck: CheckReport {
        let outcomes: [RuleOutcome] = [
            .passed, .failed(expected: "a", seen: "b"), .notApplicable(reason: "c"), .notAsked(reason: "d"),
        ]
        let results = zip(RuleBook.rules(numbered: [1, 2, 3, 4]), outcomes).map { (rule: $0, outcome: $1) }
        var report = CheckReport(
            device: "sim", results: results, asked: 5, interrupted: true, problems: ["a problem"])
        report.nothingChecked = true
        return report
    }

    static var check: SchemaSample {
        var sample = SchemaSample(fullCheck)
        sample.optional = ["nothingChecked"]
        sample.closed.insert("rules.outcome")
        return sample
    }

    static var checkList: SchemaSample {
        let rules = RuleBook.rules
        let shown = rules.filter { $0.note == nil }.prefix(1) + rules.filter { $0.note != nil }.prefix(1)
        var sample = SchemaSample(RuleListing(Array(shown)))
        sample.optional = ["rules.note"]
        return sample
    }

    static var checkAll: SchemaSample {
        var sample = SchemaSample(AllCheckReport([fullCheck], notChecked: ["sim,kernel=6.1"]))
        sample.optional = ["nothingChecked", "devices.nothingChecked"]
        sample.closed.insert("devices.rules.outcome")
        return sample
    }

    static var checkSequencesAll: SchemaSample {
        var sample = SchemaSample(
            AllSequencesReport([fullSequences], notChecked: ["sim,kernel=6.1"], problems: ["a problem"]))
        sample.optional = ["devices.failure"]
        sample.closed.formUnion(["devices.seed", "devices.failure.seed"])
        return sample
    }

    private static var fullSequences: SequenceReport {
        let text = """
            {"device": "sim", "seed": "18446744073709551615", "sequences": 50, "passed": 3, "operationsEach": 50,
             "interrupted": false, "failure": {"seed": "4", "operations": ["SET_STATUS 0"], "step": 0,
             "expected": "no entries", "seen": "one entry"}}
            """
        // A report is made by running sequences, or so.
        guard let report = try? JSONDecoder().decode(SequenceReport.self, from: Data(text.utf8)) else {
            preconditionFailure("no report: \(text)")
        }
        return report
    }

    static var checkSequences: SchemaSample {
        var sample = SchemaSample(fullSequences)
        sample.optional = ["failure"]
        sample.closed.formUnion(["seed", "failure.seed"])
        return sample
    }

    static var cycle: SchemaSample {
        var sample = SchemaSample(CycleReport.besideBaseline)
        sample.optional = [
            "firstMaps.contiguousRuns", "firstMaps.registerBuffers", "firstMaps.obstacle", "skipped.strategy",
            "loads.otherProcessors", "baseline", "baseline.version", "baseline.date", "baseline.kernel",
            "baseline.pairs.isApart",
        ]
        let times = ["cycle", "downtime", "suspendToEnable"].map { "results.\($0)" }
        sample.nullable = Set(
            ["results.contiguousRuns", "results.downtime", "results.suspendToEnable"]
                + times.flatMap { time in ["p25", "p75", "p99", "modes"].map { "\(time).\($0)" } })
        sample.bounded.formUnion(times.map { "\($0).modes.slowShare" })
        sample.closed.formUnion([
            "results.strategy", "results.pageKind", "firstMaps.pageKind", "skipped.strategy",
            "baseline.pairs.strategy", "baseline.pairs.pageKind",
        ])
        return sample
    }

    static var replay: SchemaSample {
        var sample = SchemaSample(
            ReplayReport(
                device: "sim", against: "sim,kernel=6.1", calls: 3, compared: 2,
                differences: [.init(line: 2, call: "SUSPEND", expected: "ok", seen: "EOPNOTSUPP")],
                script: "open -> ok\n", interrupted: true, problems: ["a problem"]))
        sample.optional = ["against"]
        return sample
    }

    static var exec: SchemaSample {
        // FEATURES_OK without DRIVER.
        let script = DeviceScript(steps: [
            .open(file: .device), .request(ScriptRequest("SET_STATUS", .number(9)), file: .device),
        ])
        var sample = SchemaSample(
            ExecReport([("/dev/vhost-vdpa-0", ClientWatch.judge(script))], status: 143))
        sample.closed.insert("devices.broken.severity")
        return sample
    }

    static var replayRandom: SchemaSample {
        var sample = SchemaSample(
            RandomReplayReport(
                device: "sim", against: "sim,kernel=6.1", seed: "18446744073709551615", scripts: 5, played: 4,
                callsEach: 300, calls: 640, successShare: 80, answers: 500, neverAsked: ["MISS (suspended)"],
                known: [.init(row: 8, answers: 2, seed: "9")], differing: 1,
                kinds: [
                    .init(
                        call: "RESUME", expected: "ok", seen: "EPERM", scripts: 1, seed: "7",
                        script: "open -> ok\nRESUME -> ok\n")
                ], interrupted: true, problems: ["a problem"]))
        sample.bounded.insert("successShare")
        sample.closed.formUnion(["seed", "known.seed", "kinds.seed"])
        return sample
    }

    static var vduse: SchemaSample {
        var report = VDUSEReport(name: "vduse0", wire: "tap:tb@right", wasTakenOver: true)
        report.starts = 2
        report.outcome = .attached
        report.queues = [
            .init(
                queue: 1, direction: "transmit", entered: 9, left: 8, dropped: 1, kicks: 5, interrupts: 4,
                errors: 1,
                faults: 3)
        ]
        report.problems = ["a problem"]
        var sample = SchemaSample(report)
        sample.closed.formUnion(["outcome", "queues.direction"])
        return sample
    }

    static var info: SchemaSample {
        let features = DeviceInformation.Features(
            bits: 0x104, description: "0x104 (IOTLB_BATCH|IOTLB_PERSIST)")
        var sample = SchemaSample(
            DeviceInformation(
                device: "sim", deviceID: 1, features: features, backendFeatures: features,
                maximumQueueSize: 256, queues: [.init(index: 0, group: 0), .init(index: 1, group: 1)],
                groups: 2,
                addressSpaces: 2, iovaRange: .init(first: "0x0", last: "0xffffffffffffffff"),
                configuration: .init(mac: "52:54:00:12:34:56", mtu: 1500, linkUp: true, byteCount: 24)))
        sample.optional = [
            "queues.group", "groups", "addressSpaces", "configuration.mac", "configuration.mtu",
            "configuration.linkUp",
        ]
        sample.closed.formUnion([
            "features.bits", "backendFeatures.bits", "iovaRange.first", "iovaRange.last",
        ])
        return sample
    }

    static var error: SchemaSample { SchemaSample(ErrorReport(error: "SIGTERM: ended", interrupted: true)) }
}
