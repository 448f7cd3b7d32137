import SystemPackage
import Testing
import VhostVDPA
import VhostVDPAConformance

@Suite("The rules on simulated devices", .serialized)
struct RuleBookTests {
    /// What no simulated device of the default profile can be asked.
    private static let never: Set<Int> = [10, 22, 70, 71]
    private static let pinnedOnly: Set<Int> = [57, 58, 59, 60]
    private static let virtualOnly: Set<Int> = [55, 56, 61]
    private static let since6_7: Set<Int> = [14, 15, 24, 33, 54, 61, 62, 65, 66, 67]
    private static let setMapOnly: Set<Int> = [53, 54, 103]
    private static let platformOnly: Set<Int> = [68]
    private static let onChipOnly: Set<Int> = [17, 20, 24, 34, 36, 37, 63, 64, 65, 101, 104, 107]
    private static let losesMapsOnly: Set<Int> = [63, 64, 65]
    private static let keepsMapsOnly: Set<Int> = [107]
    private static let suspendOnly: Set<Int> = [33, 105]
    private static let resumableOnly: Set<Int> = [33]
    private static let persistOnly: Set<Int> = [62, 65, 66, 67]
    private static let identityOnly: Set<Int> = [54]
    private static let twoSpacesOnly: Set<Int> = [26, 51, 66]

    private static let likeTheSimulator = [platformOnly, keepsMapsOnly]
    private static let likeThePlatform = [virtualOnly, onChipOnly, setMapOnly, twoSpacesOnly]
    private static let likeVDUSE = [
        platformOnly, pinnedOnly, persistOnly, twoSpacesOnly, losesMapsOnly, identityOnly, resumableOnly,
    ]

    /// Each device with the rules it cannot be asked, by what it lacks.
    static let devices: [(specification: String, notApplicable: [Set<Int>])] = [
        ("sim", likeTheSimulator + [pinnedOnly]),
        ("sim,kernel=6.1", likeTheSimulator + [pinnedOnly, since6_7]),
        ("sim,kernel=7.2", likeTheSimulator + [pinnedOnly]),
        ("sim,kernel=7.3", likeTheSimulator + [pinnedOnly]),
        ("sim,queues=3", likeTheSimulator + [pinnedOnly]),
        ("sim,use-va=off", likeTheSimulator + [virtualOnly]),
        ("sim,kernel=6.1,use-va=off", likeTheSimulator + [virtualOnly, since6_7]),
        ("sim,parent=dma-map", likeTheSimulator + [pinnedOnly, setMapOnly]),
        ("sim,parent=dma-map,use-va=off", likeTheSimulator + [virtualOnly, setMapOnly]),
        ("sim,reset-map=off", likeTheSimulator + [pinnedOnly, persistOnly]),
        ("sim,parent=platform", likeThePlatform),
        ("sim,parent=platform,kernel=6.1", likeThePlatform + [since6_7]),
        ("sim,parent=mlx5", likeTheSimulator + [virtualOnly]),
        ("sim,parent=mlx5,queues=3,kernel=7.3", likeTheSimulator + [virtualOnly]),
        ("sim,parent=stateful", likeThePlatform + [suspendOnly]),
        ("sim,parent=stateful,kernel=6.1", likeThePlatform + [suspendOnly, since6_7]),
        ("sim,parent=vp-vdpa", likeThePlatform + [suspendOnly]),
        ("sim,parent=vp-vdpa,kernel=6.1", likeThePlatform + [suspendOnly, since6_7]),
        ("sim,parent=vendor", [platformOnly, virtualOnly, setMapOnly, losesMapsOnly]),
        ("sim,parent=vduse", likeVDUSE + [suspendOnly]), ("sim,parent=vduse,kernel=7.3", likeVDUSE),
        ("sim,parent=vduse,kernel=6.1", likeVDUSE + [suspendOnly, since6_7]),
    ]

    @Test("Every rule passes, or is not applicable where it should be", arguments: devices)
    func everyRule(_ device: (specification: String, notApplicable: [Set<Int>])) throws {
        let notApplicable = device.notApplicable.reduce(Self.never) { $0.union($1) }
        let opener = try SimulatedOpener.make(device.specification)
        let traits = try DeviceTraits.probe(opener)
        var notAsked: Set<Int> = []
        for rule in RuleBook.rules {
            switch rule.run(on: opener, traits: traits) {
            case .passed: break
            case .notApplicable(let reason):
                #expect(!reason.isEmpty)
                notAsked.insert(rule.number)
            case .notAsked(let reason): Issue.record("rule \(rule.number) could not be asked: \(reason)")
            case .failed(let expected, let seen):
                Issue.record("rule \(rule.number): expected \(expected), saw \(seen)")
            }
        }
        // Where RLIMIT_MEMLOCK sets no limit, and where a page's physical address cannot be read.
        let dependsOnMachine: Set<Int> = [57, 47]
        #expect(
            notAsked.subtracting(dependsOnMachine)
                == notApplicable.subtracting(dependsOnMachine))
    }

    @Test("Numbers name one rule each, and the 71 rules are all there")
    func numbers() {
        let numbers = RuleBook.rules.map(\.number)
        #expect(Set(numbers).count == numbers.count)
        #expect(Set(1...71).isSubset(of: numbers))
    }

    @Test(
        "A rule leaves the device closed, also when it fails",
        arguments: [
            ("sim", 1, false), ("sim", 62, false), ("sim,fault=loses-maps", 62, true),
            ("sim,fault=suspend", 33, true),
        ])
    func leavesClosed(_ device: String, _ number: Int, fails: Bool) throws {
        let opener = try SimulatedOpener.make(device)
        let traits = try DeviceTraits.probe(opener)
        let rule = try #require(RuleBook.rules(numbered: [number]).first)
        let outcome = rule.run(on: opener, traits: traits)
        if case .failed = outcome { #expect(fails) } else { #expect(outcome == .passed && !fails) }
        // The device takes one opener at a time: EBUSY while the rule's file is open.
        let file = try opener.open()
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

    @Test("The document has each rule once, below its topic, by number")
    func document() {
        var topic = ""
        var found: [String: [Int]] = [:]
        for line in RuleBook.document.split(separator: "\n") {
            if line.hasPrefix("## ") { topic = String(line.dropFirst(3)) }
            let cells = line.split(separator: "|").map { $0.trimmingPrefix(" ") }
            if cells.count == 4, let number = Int(cells[0].filter { $0 != " " }) {
                found[topic, default: []].append(number)
            }
        }
        #expect(found.values.reduce(0) { $0 + $1.count } == RuleBook.rules.count)
        #expect(found.values.allSatisfy { $0 == $0.sorted() && Set($0).count == $0.count })
        #expect(found["Batches"]?.contains(53) == true && found["Suspend and resume"]?.contains(33) == true)
        #expect(found[""] == nil)
    }

    @Test(
        "A kernel's release is read from the begin of uname -r",
        arguments: [
            ("6.12.117+deb12-amd64", KernelRelease(6, 12)), ("6.1.0-41-amd64", KernelRelease(6, 1)),
            ("7.2", KernelRelease(7, 2)), ("7.3.4", KernelRelease(7, 3)), ("rolling", nil), ("", nil),
        ])
    func release(_ text: String, _ expected: KernelRelease?) {
        #expect(KernelRelease(parsing: text) == expected)
    }
}
