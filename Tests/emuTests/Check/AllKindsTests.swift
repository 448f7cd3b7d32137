import Foundation
import Glibc
import SimulatedConformance
import SimulatedVDPA
import Testing
import VhostVDPAConformance

@testable import emu

/// `emu check --device all`: every kind of simulated device in turn.
@Suite(.timeLimit(.minutes(15))) struct AllKindsTests {
    /// What devices are made by, each value with each other that can be with it.
    private static let kinds: [SimulatedDeviceSpecification] = SimulatedParentKind.allCases.flatMap {
        parent in
        KernelVersion.allCases.flatMap { kernel in
            SimulatedDeviceProfile.allCases.compactMap { profile in
                try? SimulatedDeviceSpecification(kernel: kernel, parent: parent, profile: profile)
            }
        }
    }

    private static func read(_ texts: [String]) throws -> [SimulatedDeviceSpecification] {
        try texts.map { try SimulatedDeviceSpecification(parsing: $0) }
    }

    @Test("Each parent and each profile is there with each kernel that has it, and none twice")
    func eachOnce() throws {
        let rules = try Self.read(SimulatedKinds.forRules)
        let sequences = try Self.read(SimulatedKinds.forSequences)
        #expect(Set(Self.kinds).isSubset(of: rules))
        #expect(Set(rules).count == rules.count && Set(sequences).count == sequences.count)
        for kind in Self.kinds {
            #expect(
                sequences.contains {
                    ($0.parent, $0.kernel, $0.profile) == (kind.parent, kind.kernel, kind.profile)
                }, "\(kind)")
        }
        for parent in SimulatedParentKind.allCases {
            #expect(rules.contains { $0.parent == parent } && sequences.contains { $0.parent == parent })
        }
        for profile in SimulatedDeviceProfile.allCases {
            #expect(rules.contains { $0.profile == profile } && sequences.contains { $0.profile == profile })
        }
    }

    @Test("Whatever a parent can do otherwise at a map or a reset is there") func everySwitch() throws {
        let rules = try Self.read(SimulatedKinds.forRules)
        let sequences = try Self.read(SimulatedKinds.forSequences)
        for parent in SimulatedParentKind.allCases {
            for (key, value) in ["use-va", "reset-map", "compat-reset", "wipe-on-reset"].flatMap({ key in
                ["on", "off"].map { (key, $0) }
            }) {
                guard
                    let kind = try? SimulatedDeviceSpecification(
                        parsing: "sim,parent=\(parent.rawValue),\(key)=\(value)")
                else { continue }
                #expect(rules.contains(kind), "\(kind)")
            }
        }
        // A limit that is reached, and memory in pieces.
        for parent in SimulatedParentKind.allCases {
            #expect(sequences.contains { $0.parent == parent && $0.entryLimit == 6 }, "\(parent)")
        }
        let pinning = Set(sequences.filter { !$0.usesVirtualAddresses }.map(\.parent))
        #expect(Set(sequences.filter { $0.fragment != nil }.map(\.parent)) == pinning)
        // Every row of the decision table that one of them can be in.
        let rows = Set(sequences.map { Row($0) })
        for kernel in KernelVersion.allCases {
            for parent in SimulatedParentKind.allCases {
                for choice in 0..<16 {
                    let switches = (0..<4).map { choice >> $0 & 1 != 0 }
                    guard
                        let kind = try? SimulatedDeviceSpecification(
                            kernel: kernel, parent: parent, resetMap: switches[0], compatReset: switches[1],
                            wipeOnReset: switches[2], useVirtualAddresses: switches[3])
                    else { continue }
                    #expect(rows.contains(Row(kind)), "\(kind)")
                }
            }
        }
    }

    /// What of a device decides where its maps are.
    private struct Row: Hashable {
        let kernel: KernelVersion
        let parent: SimulatedParentKind
        let switches: [Bool]

        init(_ kind: SimulatedDeviceSpecification) {
            kernel = kind.kernel
            parent = kind.parent
            switches = [
                kind.hasResetMap, kind.hasCompatReset, kind.wipesOnReset, kind.usesVirtualAddresses,
            ]
        }
    }

    @Test("Every kind that is named is one that the command line takes") func namedKinds() {
        #expect(CheckedKinds.forRules.map(\.description) == SimulatedKinds.forRules)
        #expect(CheckedKinds.forSequences.map(\.description) == SimulatedKinds.forSequences)
    }

    private static func report(
        _ device: String, _ outcomes: [RuleOutcome], asked: Int? = nil, interrupted: Bool = false,
        problems: [String] = []
    ) -> CheckReport {
        let rules = RuleBook.rules.prefix(outcomes.count)
        return CheckReport(
            device: device, results: zip(rules, outcomes).map { (rule: $0, outcome: $1) }, asked: asked,
            interrupted: interrupted, problems: problems)
    }

    private static let good = report("a", [.passed, .notApplicable(reason: "b")])

    @Test("The sums are those of all kinds")
    func sums() {
        let all = AllCheckReport([
            Self.good,
            Self.report("b", [.passed, .failed(expected: "c", seen: "d"), .notAsked(reason: "e")], asked: 5),
        ])
        #expect(all.passed == 2 && all.failed == 1 && all.notApplicable == 1)
        #expect(all.notAsked == 1 && all.notRun == 2)
        #expect(
            all.verdict
                == "2 kinds of simulated device: 2 passed, 1 failed, 1 not applicable, 1 could not be asked,"
                + " 2 not run")
        #expect(all.status == .foundSomethingWrong && !all.interrupted)
    }

    @Test("All is well where it is with each kind and none was left out")
    func allWell() {
        #expect(AllCheckReport([Self.good, Self.good]).status == .done)
        for bad in [
            Self.report("b", [.failed(expected: "c", seen: "d")]), Self.report("b", [.notAsked(reason: "e")]),
            Self.report("b", [.passed], asked: 2), Self.report("b", [.passed], problems: ["gone"]),
        ] { #expect(AllCheckReport([Self.good, bad]).status == .foundSomethingWrong) }
        let half = AllCheckReport([Self.good], notChecked: ["b", "c"])
        #expect(half.status == .foundSomethingWrong && half.interrupted)
        #expect(half.verdict.hasSuffix("\nINTERRUPTED: not checked: b c"))
    }

    @Test(
        "Sequences are spread evenly, none fewer than were asked for",
        arguments: [(1, 1), (18, 1), (19, 2), (36, 2), (1_000_000, 55_556), (Int.max, Int.max / 18 + 1)])
    func evenlySpread(count: Int, share: Int) {
        #expect(AllSequencesReport.share(of: count, kinds: 18) == share)
    }

    @Test("Rules of all kinds: a line each and a sum, status 0")
    func rules() throws {
        let outcome = try EmuProcess.run("check", "--device", "all", "--only", "1,39")
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n").map(String.init)
        let kinds = SimulatedKinds.forRules
        #expect(zip(lines, kinds).allSatisfy { $0.hasPrefix("\($1): ") })
        #expect(lines.count == kinds.count + 1)
        #expect(lines.last?.hasPrefix("\(kinds.count) kinds of simulated device: ") == true)
        let json = try EmuProcess.run("check", "--device", "all", "--only", "1,39", "--json")
        let all = try json.result(AllCheckReport.self)
        #expect(json.status == 0 && all.devices.map(\.device) == kinds && all.notChecked.isEmpty)
        #expect(all.devices.allSatisfy { $0.rules.map(\.number) == [1, 39] })
    }

    @Test("A rule that could not be asked is told with its kind, and status 1")
    func notAsked() throws {
        // Too few for what some rule needs, enough to begin with.
        let limits = (8...40).lazy.map { limit in
            try? EmuProcess.run(
                shell: "ulimit -n \(limit); exec \"$@\"", ["check", "--device", "all", "--only", "1,12,62"])
        }
        let outcome = try #require(limits.compactMap(\.self).first { $0.status == 1 })
        #expect(outcome.output.contains("NOT ASKED  "), "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains(" could not be asked"))
    }

    @Test("Sequences on all kinds have seeds of their own, status 0")
    func sequences() throws {
        let kinds = SimulatedKinds.forSequences
        let outcome = try EmuProcess.run(
            "check", "--device", "all", "--sequences", "\(2 * kinds.count - 1)", "--seed", "7", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let all = try outcome.result(AllSequencesReport.self)
        #expect(all.devices.map(\.device) == kinds)
        #expect(all.devices.map(\.seed) == kinds.indices.map { "\(7 + 2 * $0)" })
        #expect(all.sequences == 2 * kinds.count && all.passed == all.sequences && !all.interrupted)
        #expect(outcome.errors.hasSuffix(" sequences as plain arrays say\n"), "\(outcome.errors)")
    }

    @Test(
        "A signal ends it with the kinds that there were, and names those that there were not",
        arguments: [["--sequences", "9000000000000000000"], []])
    func signal(arguments: [String]) throws {
        let emu = try EmuProcess(["check", "--device", "all", "--json", "--log-level", "info"] + arguments)
        // Rules say nothing until a device is done.
        try emu.waitForError(arguments.isEmpty ? "not applicable" : "comparing sequences")
        emu.send(SIGTERM)
        let outcome = emu.finish()
        #expect(outcome.status == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains("INTERRUPTED: not checked: "), "\(outcome.errors)")
        if arguments.isEmpty {
            let all = try outcome.result(AllCheckReport.self)
            #expect(all.interrupted && !all.devices.isEmpty)
            #expect(all.devices.map(\.device) + all.notChecked == SimulatedKinds.forRules)
        } else {
            let all = try outcome.result(AllSequencesReport.self)
            #expect(all.interrupted && all.devices.count == 1)
            #expect(all.devices.map(\.device) + all.notChecked == SimulatedKinds.forSequences)
        }
    }
}
