import Foundation
import Testing
import VhostVDPAConformance

@testable import emu

/// `emu check --table`: what each real kernel does with each rule.
@Suite struct RulesTableTests {
    private static let titles = RuleBook.rules.prefix(4).map { "\($0.number) | \($0.title)" }

    @Test("All four outcomes are shown and counted, each reason once")
    func fourOutcomes() throws {
        let folder = try KeptFolder()
        try folder.add()
        try folder.add(
            "6.1-vp_vdpa-entries-24576", release: "6.1.0-56-amd64 #1 SMP Debian 6.1.192-2 (2026-02-02)\n")
        #expect(
            try folder.document() == RulesTable.head + """

                | | kernel (`uname -rv`) | device ([kernel-vm.md](kernel-vm.md)) | passed | not applicable | could not be \
                asked | failed |
                |---|---|---|---|---|---|---|
                | A | 6.12.1-amd64, Debian 6.12.1-1 | `vdpasim:batch=1` | 1 | 1 | 1 | 1 |
                | B | 6.1.0-56-amd64, Debian 6.1.192-2 | `vp_vdpa:entries=24576` | 1 | 1 | 1 | 1 |

                ✓ the kernel does what the rule says. – the rule does not apply to this device. **?** the rule could not \
                be asked, and
                nothing is known of it. The number names the reason below.

                | number | rule | A | B |
                |---|---|---|---|
                | \(Self.titles[0]) | ✓ | ✓ |
                | \(Self.titles[1]) | – [1] | – [1] |
                | \(Self.titles[2]) | **failed** [2] | **failed** [2] |
                | \(Self.titles[3]) | **?** [3] | **?** [3] |

                ## Notes

                1. of another kind
                2. seen: EPERM
                3. raise the limit
                """)
    }

    @Test("The committed document is one of these")
    func committedDocument() throws {
        let docs = JSONSchemaValidator.folder.deletingLastPathComponent()
        let text = try String(contentsOf: docs.appending(path: "rules-on-kernels.md"), encoding: .utf8)
        #expect(text.hasPrefix(RulesTable.head + "\n| | kernel "))
        #expect(text.hasSuffix("\n") && !text.hasSuffix("\n\n"))
    }

    @Test("What the simulation does otherwise is said, with the check's reason where it has one")
    func deviation() throws {
        let folder = try KeptFolder()
        let numbers = RuleBook.rules.prefix(3).map(\.number)
        try folder.add(
            outcomes: [.passed, .passed, .passed],
            twin: [.notApplicable(reason: "no file"), .failed(expected: "a", seen: "b")],
            said: """
                rule \(numbers[0]): passed on the device, notApplicable in the simulation: it is no file: so
                rule \(numbers[1]) DIFFERS: passed on the device (-), failed in the simulation (b)
                3 passed, 0 not applicable

                """)
        let lines = try folder.lines()
        #expect(lines.contains("| \(Self.titles[0]) | ✓ [1] |"))
        #expect(lines.contains("| \(Self.titles[1]) | ✓ [2] |"))
        // One that the simulation was not asked.
        #expect(lines.contains("| \(Self.titles[2]) | ✓ [2] |"))
        #expect(
            lines.suffix(2) == [
                "1. the simulation differs: it is no file: so", "2. the simulation differs, **unexplained**",
            ])
    }

    @Test("A rule that one kernel was not asked is not run there")
    func notRunOnOneKernel() throws {
        let folder = try KeptFolder()
        try folder.add(outcomes: [.passed])
        try folder.add("6.1-vdpasim-batch-1", outcomes: [.passed, .passed])
        let lines = try folder.lines()
        #expect(
            lines.contains("| \(Self.titles[0]) | ✓ | ✓ |")
                && lines.contains("| \(Self.titles[1]) | not run | ✓ |"))
        #expect(!lines.contains("## Notes"))
    }

    @Test("Newer kernels come first by number, the devices of one by name; what is no machine's is passed by")
    func order() throws {
        let folder = try KeptFolder()
        for name in ["6.1-vdpasim", "6.12-vp_vdpa", "6.9-vdpasim", "6.12-vdpasim-use_va-0-batch-1"] {
            try folder.add(name, outcomes: [.passed])
        }
        try folder.write("results", "")
        try folder.write("7.0-vdpasim/release", KeptFolder.release)
        let devices = try folder.lines().filter { $0.contains("| 6.12.1-amd64, ") }.map {
            $0.split(separator: "`")[1]
        }
        #expect(devices == ["vdpasim:use_va=0,batch=1", "vp_vdpa", "vdpasim", "vdpasim"])
    }

    @Test("More devices than letters have two each")
    func manyDevices() throws {
        let folder = try KeptFolder()
        for entries in 100..<128 { try folder.add("6.12-vdpasim-entries-\(entries)", outcomes: [.passed]) }
        let lines = try folder.lines()
        #expect(
            lines.contains { $0.hasPrefix("| Z | 6.12.1") }
                && lines.contains { $0.hasPrefix("| AB | 6.12.1") })
    }

    /// A change of a whole folder, and what is said of it.
    struct Refused: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var words: [String]
        var change: @Sendable (KeptFolder) throws -> Void
    }

    private static let machine = "6.12-vdpasim-batch-1"

    @Test(
        "What is no result is refused in one line, by its path",
        arguments: [
            Refused(testDescription: "nothing in it", words: ["log/conformance.json", "--steps 60 --keep"]) {
                try $0.remove(machine)
            },
            Refused(
                testDescription: "a machine that died",
                words: ["6.1-vp_vdpa is of a virtual machine", "died"]
            ) {
                try $0.write("6.1-vp_vdpa/vm", "1 7\n")
            },
            Refused(
                testDescription: "a machine with a log alone", words: ["6.1-vp_vdpa is of", "--steps 60"]
            ) {
                try $0.write("6.1-vp_vdpa/dmesg", "")
            },
            Refused(
                testDescription: "a machine that never came up", words: ["6.1-vp_vdpa is of", "no log/conf"]
            ) {
                try $0.write("6.1-vp_vdpa/log/conformance-twin.json", KeptFolder.report([.passed]))
            },
            Refused(testDescription: "no folder", words: ["No such file or directory"]) {
                try FileManager.default.removeItem(at: $0.url)
            },
            Refused(testDescription: "another name", words: ["six-vdpasim", "is no kernel and device"]) {
                try $0.add("six-vdpasim")
            },
            Refused(testDescription: "another kind", words: ["6.1-mlx5-batch-1", "is no kernel and device"]) {
                try $0.add("6.1-mlx5-batch-1")
            },
            Refused(
                testDescription: "half an option", words: ["6.1-vdpasim-batch", "is no kernel and device"]
            ) {
                try $0.add("6.1-vdpasim-batch")
            },
            Refused(testDescription: "no release", words: ["\(machine)/release cannot be read"]) {
                try $0.remove("\(machine)/release")
            },
            Refused(
                testDescription: "another release", words: ["\(machine)/release does not hold", "uname -rv"]
            ) {
                try $0.write("\(machine)/release", "6.12.1 #1 SMP\n")
            },
            Refused(testDescription: "no twin", words: ["log/conformance-twin.json cannot be read"]) {
                try $0.remove("\(machine)/log/conformance-twin.json")
            },
            Refused(testDescription: "no reasons", words: ["log/conformance.out cannot be read"]) {
                try $0.remove("\(machine)/log/conformance.out")
            },
            Refused(testDescription: "no JSON", words: ["log/conformance.json: it holds no JSON object"]) {
                try $0.write("\(machine)/log/conformance.json", "rules: none\n")
            },
            Refused(
                testDescription: "another schema", words: ["log/conformance.json: it is of schema 'error'"]
            ) {
                let text = JSONText.encode(ErrorReport(error: "gone", interrupted: false))
                try $0.write("\(machine)/log/conformance.json", text)
            },
            Refused(
                testDescription: "another version", words: ["version 2 of schema 'check'", "reads version 1"]
            ) {
                let text = KeptFolder.report([.passed])
                    .replacingOccurrences(of: "\"schemaVersion\" : 1", with: "\"schemaVersion\" : 2")
                try $0.write("\(machine)/log/conformance-twin.json", text)
            },
            Refused(testDescription: "a field gone", words: ["not what schema 'check' says at rules.0.title"])
            {
                let text = KeptFolder.report([.passed]).replacingOccurrences(
                    of: "\"title\"", with: "\"name\"")
                try $0.write("\(machine)/log/conformance.json", text)
            },
        ])
    func noResult(refused: Refused) throws {
        let folder = try KeptFolder()
        try folder.add()
        try refused.change(folder)
        let error = try #require(throws: StartError.self) { try folder.document() }
        for words in [folder.url.path] + refused.words {
            #expect(error.description.contains(words), "\(error)")
        }
        #expect(!error.description.contains("\n"))
    }
}
