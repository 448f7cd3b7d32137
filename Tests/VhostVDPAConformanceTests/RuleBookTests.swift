import SystemPackage
import Testing
import VhostVDPA
import VhostVDPAConformance

@Suite("The rules on simulated devices", .serialized)
struct RuleBookTests {
    /// What no simulated device of the default profile can be asked.
    private static let never: Set<Int> = [10, 22, 54, 68, 70, 71]
    private static let pinnedOnly: Set<Int> = [57, 58, 59, 60]
    private static let virtualOnly: Set<Int> = [55, 56, 61]
    private static let since6_7: Set<Int> = [14, 15, 24, 33, 61, 62, 65, 66, 67]
    private static let setMapOnly: Set<Int> = [53, 103]

    @Test(
        "Every rule passes, or is not applicable where it should be",
        arguments: [
            ("sim", pinnedOnly), ("sim,kernel=6.1", pinnedOnly.union(since6_7)),
            ("sim,kernel=7.2", pinnedOnly), ("sim,use-va=off", virtualOnly),
            ("sim,kernel=6.1,use-va=off", virtualOnly.union(since6_7)),
            ("sim,parent=dma-map", pinnedOnly.union(setMapOnly)),
            ("sim,parent=dma-map,use-va=off", virtualOnly.union(setMapOnly)),
        ])
    func everyRule(_ specification: String, _ notApplicable: Set<Int>) throws {
        let opener = try SimulatedOpener.make(specification)
        let traits = try DeviceTraits.probe(opener)
        var notAsked: Set<Int> = []
        for rule in RuleBook.rules {
            switch rule.run(on: opener, traits: traits) {
            case .passed: break
            case .notApplicable(let reason):
                #expect(!reason.isEmpty)
                notAsked.insert(rule.number)
            case .failed(let expected, let seen):
                Issue.record("rule \(rule.number): expected \(expected), saw \(seen)")
            }
        }
        // Where RLIMIT_MEMLOCK sets no limit, and where a page's place in memory is not to be had.
        let dependsOnMachine: Set<Int> = [57, 47]
        #expect(
            notAsked.subtracting(dependsOnMachine)
                == Self.never.union(notApplicable).subtracting(dependsOnMachine))
    }

    @Test("Numbers name one rule each, and the 71 rules are all there")
    func numbers() {
        let numbers = RuleBook.rules.map(\.number)
        #expect(Set(numbers).count == numbers.count)
        #expect(Set(1...71).isSubset(of: numbers))
    }

    @Test("A rule leaves the device closed, also when it fails", arguments: [1, 2, 62])
    func leavesClosed(_ number: Int) throws {
        let plain = try SimulatedOpener.make("sim")
        let traits = try SimulatedOpener.traits("sim")
        let rule = try #require(RuleBook.rules(numbered: [number]).first)
        _ = rule.run(on: plain, traits: traits)
        let file = try plain.open()
        file.close()
    }

    @Test("docs/rules.md is what 'emu check --list' prints: write it there anew after a change")
    func committedDocument() throws {
        var path = FilePath(#filePath)
        for _ in 0..<3 { path.removeLastComponent() }
        path.append("docs/rules.md")
        let file = try FileDescriptor.open(path, .readOnly)
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
        #expect(String(decoding: bytes[..<count], as: UTF8.self) == RuleBook.document + "\n")
    }

    @Test("The document has a line for every rule")
    func document() {
        for rule in RuleBook.rules { #expect(RuleBook.document.contains("| \(rule.number) | \(rule.title)")) }
    }

    @Test(
        "A kernel's release is read from the begin of uname -r",
        arguments: [
            ("6.12.117+deb12-amd64", KernelRelease(6, 12)), ("6.1.0-41-amd64", KernelRelease(6, 1)),
            ("7.2", KernelRelease(7, 2)), ("rolling", nil), ("", nil),
        ])
    func release(_ text: String, _ expected: KernelRelease?) {
        #expect(KernelRelease(parsing: text) == expected)
    }
}
