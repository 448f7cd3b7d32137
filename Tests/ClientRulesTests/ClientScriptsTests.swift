import DeviceScripts
import Foundation
import Logging
import SimulatedConformance
import SimulatedVDPA
import TestSupport
import Testing
import VhostVDPAConformance

@testable import ClientRules

/// Scripts of bad clients, and of clients that do nearly the same and are right. The answers in them are the simulated
/// kernel's.
@Suite("A client's script", .timeLimit(.minutes(15)))
struct ClientScriptsTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scripts")

    static let names: [String] = {
        let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (files ?? []).filter { $0.hasSuffix(".script") }.sorted()
    }()

    private func script(_ name: String) throws -> DeviceScript {
        try DeviceScript(
            parsing: String(contentsOf: Self.folder.appending(path: name), encoding: .utf8))
    }

    /// What stands behind `# key: ` in the first lines.
    private func heading(_ key: String, of script: DeviceScript) -> String? {
        script.lines.prefix { $0.step == nil }.compactMap(\.comment).first { $0.hasPrefix("\(key): ") }
            .map { String($0.dropFirst(key.count + 2)) }
    }

    private func answers(_ script: DeviceScript) throws -> [ScriptAnswer?] {
        let device = try #require(heading("device", of: script))
        let opener = try DeviceOpener.simulation(
            SimulatedDeviceSpecification(parsing: device), logger: .quiet)
        let target = ScriptTarget(
            settle: opener.settle, callFromChild: opener.ioctlFromChild, open: opener.open)
        return try ScriptPlayer.play(script, on: target)
    }

    @Test("Each rule has a script that breaks it and one that nearly does")
    func each() {
        let wanted = ClientRuleBook.rules.flatMap {
            ["\($0.number)-broken.script", "\($0.number)-clean.script"]
        }
        #expect(Set(wanted).subtracting(Self.names) == [])
    }

    @Test("A script is as it is written, and each of its answers is the simulated kernel's", arguments: names)
    func answered(name: String) throws {
        let script = try script(name)
        let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        #expect(script.description == text)
        // Its numbers are addresses of a process that plays nothing else.
        guard heading("process", of: script) == nil else { return }
        for (line, answer) in zip(script.lines, try answers(script)) {
            guard let step = line.step, let answer else { continue }
            guard let expectation = line.expectation else {
                #expect(!step.isOfDevice || step.isKick, "\(line)")
                continue
            }
            #expect(expectation.holds(answer), "\(line): \(answer)")
        }
    }

    @Test("It breaks the rules that it says, and no other", arguments: names)
    func breaks(name: String) throws {
        let script = try script(name)
        let words = try #require(heading("breaks", of: script))
        let wanted = words == "none" ? [] : words.split(separator: " ").map { Int($0) }
        let report = ClientWatch.judge(script)
        #expect(report.broken.map(\.rule.number) == wanted, "\(report.lines.joined(separator: "\n"))")
    }

    @Test(
        "A breach has its call among the calls around it", arguments: names.filter { $0.contains("broken") })
    func context(name: String) throws {
        let report = ClientWatch.judge(try script(name))
        for finding in report.broken.flatMap(\.findings) {
            #expect(finding.calls.contains { $0.number == finding.call }, "\(finding)")
            #expect(finding.calls.map(\.number) == finding.calls.map(\.number).sorted())
        }
    }
}
