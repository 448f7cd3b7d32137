import Foundation
import SimulatedConformance
import SimulatedVDPA
import SystemPackage
import TestSupport
import Testing
import VhostVDPAConformance

/// Every combination of a simulated device's keys does what docs/simulated-devices.md says.
///
/// `swift test` asks a part of them, every two values together; scripts/check-combinations asks all, or every so many.
@Suite("Combinations of keys", .timeLimit(.minutes(60)))
struct CombinationTests {
    /// What scripts/check-combinations asks for: every so many of all that can be made, 1 for each.
    private static let step = ProcessInfo.processInfo.environment["EMU_COMBINATIONS"].flatMap { Int($0) }
    private static let asksAll = step != nil

    /// Every device that can be asked for, and those of them that can be made, each once.
    static let everything = DeviceChoices.exhaustive + DeviceChoices.pairwise
    static let made = unique((asksAll ? everything : DeviceChoices.pairwise).filter(isPossible))
        .enumerated().filter { $0.offset % (step ?? 1) == 0 }.map(\.element)

    /// Those whose rules are asked: rules that a fault breaks wait for frames that never come, seconds each.
    static let checked =
        made.filter { asksAll || !slowFaults.contains($0[.fault] ?? "") }
        + (asksAll ? [] : slowFaults.sorted().map { DeviceChoice([.fault: $0]) })
    private static let slowFaults: Set<String> = ["loses-maps", "suspend"]

    @Test("every two values of different keys are tried together, in a device that can be made where one can")
    func pairs() {
        for choice in DeviceChoices.pairwise where !Self.isPossible(choice) {
            #expect(choice.values.count == 2, "\(choice)")
        }
        let possible = DeviceChoices.pairwise.filter(Self.isPossible)
        for choice in DeviceChoices.product([.parent, .fault]) where Self.isPossible(choice) {
            let isCovered = possible.contains { other in
                choice.values.allSatisfy { (key, value) in other[key] == value }
            }
            #expect(isCovered || choice.values.count < 2, "\(choice)")
        }
    }

    @Test("what cannot stand together is refused in one line that names both keys, and all else can be made")
    func refusals() {
        var refused = 0
        for choice in Self.everything {
            let reasons = Contradiction.all(of: choice)
            do throws(SimulatedDeviceSpecificationError) {
                let device = try SimulatedDeviceSpecification(parsing: choice.description)
                #expect(reasons.isEmpty, "\(choice) is \(device)")
            } catch {
                refused += 1
                let line = error.description
                #expect(error.code == .contradiction, "\(choice): \(line)")
                #expect(
                    reasons.contains { reason in
                        line.contains("\(reason.keys.0.rawValue)=")
                            && line.contains("\(reason.keys.1.rawValue)=")
                    }, "\(choice): \(line)")
                #expect(!line.contains("\n"))
            }
        }
        if Self.asksAll { print("combinations: \(Self.everything.count) asked for, \(refused) refused") }
    }

    @Test("emu check fails no rule but what the fault's row names", arguments: checked)
    func rules(_ choice: DeviceChoice) throws {
        let opener = try DeviceOpener.simulation(
            SimulatedDeviceSpecification(parsing: choice.description), logger: .quiet)
        guard choice[.fault] != "set-map" else {
            #expect(throws: RuleInterruption.self) { try DeviceTraits.probe(opener) }
            return
        }
        let traits = try DeviceTraits.probe(opener)
        var failed: Set<Int> = []
        var differences: [String] = []
        let row = FaultRow.row(of: choice)
        for rule in RuleBook.rules {
            guard case .failed(let expected, let seen) = rule.run(on: opener, traits: traits) else {
                continue
            }
            failed.insert(rule.number)
            if !row.rules.contains(rule.number) {
                differences.append("rule \(rule.number): expected \(expected), saw \(seen)")
            }
        }
        #expect(differences.isEmpty, "\(choice)")
        // What dies at its second start fails only a rule that asks for one.
        if !row.rules.isEmpty, choice[.fault] != "dies" {
            #expect(!failed.isEmpty, "\(choice) breaks nothing")
        }
        if Self.asksAll { print("combination checked: \(choice)") }
    }

    @Test("emu run ends as the device's row says, in its words", arguments: made)
    func run(_ choice: DeviceChoice) throws {
        let prediction = RunPrediction(choice)
        // A device that dies is seen to be dead while it runs, which takes a moment on a busy machine.
        let interval = choice[.fault] == "dies" ? "200ms" : "5ms"
        let outcome = try EmuProcess.run(
            "run", "--device", "\(choice)", "--memory", "64M", "--cycles", "3", "--interval", interval)
        let text = outcome.output + outcome.errors
        #expect(outcome.status == prediction.status, "\(choice): \(text)")
        #expect(text.contains(prediction.words), "\(choice): '\(prediction.words)' is not in \(text)")
        if Self.asksAll { print("combination run: \(choice) status \(outcome.status)") }
    }

    @Test("docs/simulated-devices.md has the tables that are held here")
    func document() throws {
        var path = FilePath(#filePath)
        for _ in 0..<4 { path.removeLastComponent() }
        let text = try String(
            contentsOfFile: path.appending("docs/simulated-devices.md").string, encoding: .utf8)
        for line in Contradiction.table.map(\.line) + FaultRow.table.map(\.line) {
            #expect(text.contains(line + "\n"), "the document lacks: \(line)")
        }
        // And no other row.
        let rows = text.split(separator: "\n")
        func count(after heading: String) -> Int {
            rows.drop { $0 != heading }.drop { !$0.hasPrefix("|---") }.dropFirst().prefix {
                $0.hasPrefix("| ")
            }.count
        }
        #expect(count(after: "## Faults") == FaultRow.table.count)
        #expect(count(after: "## What cannot be together") == Contradiction.table.count)
    }

    private static func isPossible(_ choice: DeviceChoice) -> Bool { Contradiction.all(of: choice).isEmpty }

    /// The first of those that are the same device once every default is filled in.
    private static func unique(_ choices: [DeviceChoice]) -> [DeviceChoice] {
        var seen: Set<String> = []
        return choices.filter { choice in
            let device = try? SimulatedDeviceSpecification(parsing: choice.description)
            return seen.insert(device?.description ?? choice.description).inserted
        }
    }
}
