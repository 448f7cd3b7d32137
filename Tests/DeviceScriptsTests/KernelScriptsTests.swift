import Foundation
import Logging
import SimulatedConformance
import SimulatedVDPA
import Testing
import VhostVDPAConformance

@testable import DeviceScripts

/// Scripts with the answers of real kernels: each is a difference that was found once.
@Suite("A real kernel's answers", .timeLimit(.minutes(15)))
struct KernelScriptsTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scripts")

    static let names: [String] = {
        let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (files ?? []).filter { $0.hasSuffix(".script") }.sorted()
    }()

    private func text(_ name: String) throws -> String {
        try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
    }

    /// What stands behind `# key: ` in the first lines.
    private func headings(_ key: String, of script: DeviceScript) -> [String] {
        script.lines.prefix { $0.step == nil }.compactMap(\.comment).filter { $0.hasPrefix("\(key): ") }
            .map { String($0.dropFirst(key.count + 2)) }
    }

    @Test("There are scripts")
    func some() { #expect(Self.names.count >= 10) }

    @Test(
        "A script is as it is written, and says what it is, on which kernels it was answered and who is their twin",
        arguments: names)
    func form(name: String) throws {
        let text = try text(name)
        let script = try DeviceScript(parsing: text)
        #expect(script.description == text)
        #expect(script.lines.first?.comment?.isEmpty == false)
        #expect(script.lines.contains { $0.expectation != nil })
        let (real, twins) = (headings("real", of: script), headings("twin", of: script))
        #expect(!real.isEmpty && real.count == twins.count)
    }

    @Test("The twin gives the kernel's answers", arguments: names)
    func twins(name: String) throws {
        let script = try DeviceScript(parsing: try text(name))
        for twin in headings("twin", of: script) {
            let answers = try ScriptPlayer.play(script, on: try PlayerTests.target(twin))
            let differences = script.differences(from: answers).map { difference in
                "\(script.lines[difference.line]): \(difference.seen)"
            }
            #expect(differences == [], "\(twin)")
        }
    }
}
