import Foundation
import SystemPackage
import TestSupport
import VhostVDPAConformance

@testable import emu

/// A folder as `scripts/test-kernel --keep` leaves it, and what `emu check --table` makes of it.
final class KeptFolder {
    private let folder: TemporaryFolder
    var url: URL { folder.url }

    init() throws { folder = try TemporaryFolder() }

    static let release = "6.12.1-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.12.1-1 (2026-01-01)\n"
    /// An outcome of each kind.
    static let outcomes: [RuleOutcome] = [
        .passed, .notApplicable(reason: "of another kind"), .failed(expected: "EINVAL", seen: "EPERM"),
        .notAsked(reason: "raise the limit"),
    ]

    /// What `emu check` prints of the first rules, with these outcomes.
    static func report(_ outcomes: [RuleOutcome]) -> String {
        let rules = RuleBook.rules.prefix(outcomes.count)
        return JSONText.encode(
            CheckReport(device: "d", results: zip(rules, outcomes).map { (rule: $0, outcome: $1) }))
    }

    /// Writes a virtual machine's folder; `twin` is what the simulation does where that is something else.
    func add(
        _ name: String = "6.12-vdpasim-batch-1", release: String = release,
        outcomes: [RuleOutcome] = outcomes,
        twin: [RuleOutcome]? = nil, said: String = ""
    ) throws {
        try write("\(name)/release", release)
        try write("\(name)/log/conformance.json", Self.report(outcomes))
        try write("\(name)/log/conformance-twin.json", Self.report(twin ?? outcomes))
        try write("\(name)/log/conformance.out", said)
    }

    func write(_ path: String, _ text: String) throws {
        let file = url.appending(path: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    func remove(_ path: String) throws { try FileManager.default.removeItem(at: url.appending(path: path)) }

    func document() throws -> String { try RulesTable(folder: FilePath(url.path)).document }

    /// The document's lines.
    func lines() throws -> [String] {
        try document().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}
