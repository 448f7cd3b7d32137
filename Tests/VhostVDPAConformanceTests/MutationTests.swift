import Foundation
import Testing
import VhostVDPAConformance
import WorkerRuntime

@Suite("A device that breaks a rule", .serialized)
struct MutationTests {
    @Test(
        "Its own rule fails, and the rules tied to it; every other one passes as before",
        arguments: Breaks.all)
    func broken(_ example: Breaks.Case) throws {
        #expect(example.tied.count <= 3)
        let traits = try SimulatedOpener.traits(example.specification)
        let passing = try Self.passing(example, traits)
        var failed: Set<Int> = []
        for rule in RuleBook.rules where passing.contains(rule.number) {
            // A device of its own for every rule: what a break remembers is the rule's own doing.
            let opener = try SimulatedOpener.make(example.specification, alteration: example.alteration)
            guard case .failed(let expected, let seen) = rule.run(on: opener, traits: traits) else {
                continue
            }
            #expect(expected != seen)
            failed.insert(rule.number)
        }
        let expected = Set(example.tied.keys).union([example.rule])
        #expect(failed == expected.intersection(passing))
        // Rules 47 and 57 need a privilege and a limit that not every machine has.
        #expect(passing.contains(example.rule) || [10, 47, 57].contains(example.rule))
    }

    @Test("Every rule has a break")
    func everyRuleHasABreak() {
        let broken = Set(Breaks.all.map(\.rule))
        #expect(broken == Set(RuleBook.rules.map(\.number)))
        print("mutations: \(Breaks.all.count) breaks of \(broken.count) rules")
    }

    @Test("docs/reliability.md says how many breaks there are")
    func document() throws {
        let root = URL(filePath: #filePath).appending(path: "../../..").standardized
        let text = try String(contentsOf: root.appending(path: "docs/reliability.md"), encoding: .utf8)
        let words =
            "each of the \(RuleBook.rules.count) rules of vhost-vdpa in a device,"
            + " \(Breaks.all.count) breaks in all"
        #expect(text.contains(words))
    }

    /// What unbroken devices pass, by specification: many breaks have the same one.
    private static let unbroken = Guarded<[String: Set<Int>]>([:])

    /// The rules that the unbroken device passes; the rule without a descriptor is asked of the break's own.
    private static func passing(_ example: Breaks.Case, _ traits: DeviceTraits) throws -> Set<Int> {
        var numbers: Set<Int>
        if let known = unbroken.withLock({ $0[example.specification] }) {
            numbers = known
        } else {
            let opener = try SimulatedOpener.make(example.specification)
            numbers = Set(
                RuleBook.rules.filter { $0.run(on: opener, traits: traits) == .passed }.map(\.number))
            unbroken.withLock { [numbers] in $0[example.specification] = numbers }
        }
        if example.alteration.descriptor != nil { numbers.insert(10) }
        return numbers
    }
}
