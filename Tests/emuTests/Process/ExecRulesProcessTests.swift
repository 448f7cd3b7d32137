import Foundation
import TestSupport
import Testing

@testable import emu

/// What `emu exec` says of the program that it runs, by the rules for clients.
@Suite(
    .timeLimit(.minutes(15)),
    // A message of 40 bytes answers 72, as the kernel's: AddressSanitizer takes that for 72 bytes that were read.
    .enabled(if: Sanitizer.current == nil, "a sanitizer's write(2) does not know vhost's answer"))
struct ExecRulesProcessTests {
    private static let emu = EmuProcess.executable.path

    static let scripts = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "ClientRulesTests/Scripts")

    static let names: [String] = {
        let files = try? FileManager.default.contentsOfDirectory(atPath: scripts.path)
        return (files ?? []).filter { $0.hasSuffix(".script") }.sorted()
    }()

    private func heading(_ key: String, of name: String) throws -> String {
        let text = try String(contentsOf: Self.scripts.appending(path: name), encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("# \(key): ") })
        return String(line.dropFirst(key.count + 4))
    }

    /// What a program that plays the script was found to do.
    private func exec(
        _ name: String, _ options: String...
    ) throws -> (outcome: EmuProcess.Outcome, report: ExecReport) {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(component: "report.json")
        let outcome = try EmuProcess(
            ["exec", "--device", try heading("device", of: name), "--report", file.path] + options
                + [
                    "--", Self.emu, "replay", Self.scripts.appending(path: name).path, "--device",
                    "/dev/vhost-vdpa-0",
                ]
        ).finish()
        return (outcome, try ExecReport.read(String(contentsOf: file, encoding: .utf8)))
    }

    @Test("a program that breaks a rule is told so, and one that nearly does is not", arguments: names)
    func scripts(name: String) throws {
        let (outcome, report) = try exec(name, "--rules", "enforce")
        let words = try heading("breaks", of: name)
        let wanted = words == "none" ? [] : words.split(separator: " ").compactMap { Int($0) }
        let broken = report.devices.flatMap(\.broken)
        #expect(broken.map(\.number) == wanted, "\(outcome.errors)")
        #expect(report.programStatus == 0, "\(outcome.output) \(outcome.errors)")
        #expect(outcome.status == (broken.contains { $0.severity == .error } ? 1 : 0))
        for number in wanted { #expect(outcome.errors.contains(" \(number), ")) }
        #expect(!wanted.isEmpty || outcome.errors.isEmpty)
    }

    @Test("docs/exec.md shows what it prints of a script")
    func document() throws {
        let (outcome, _) = try exec("207-broken.script")
        let document = try String(
            contentsOf: Self.scripts.deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appending(path: "docs/exec.md"), encoding: .utf8)
        // Which descriptor the eventfd has depends on those that this process was started with.
        func text(_ text: String) -> String { text.replacing(/fd=fd\d+/, with: "fd=fd") }
        #expect(text(document).contains(text(outcome.errors)), "\(outcome.errors)")
        #expect(outcome.errorLines.count > 8)
    }

    @Test("emu replay --rules judges a script by the device's answers, as comments of the script")
    func replay() throws {
        let script = Self.scripts.appending(path: "201-broken.script").path
        let outcome = try EmuProcess([
            "replay", script, "--rules", "--device", "sim,profile=vdpasim-net",
        ]).finish()
        #expect(outcome.status == 0 && outcome.output.contains("\n# error 201, once: "), "\(outcome.output)")
        let lines = outcome.output.split(separator: "\n").drop { $0 != "close -> ok" }.dropFirst()
        #expect(lines.count > 5 && lines.allSatisfy { $0.hasPrefix("# ") })
    }

    @Test("without --rules enforce the status is the program's, and with --rules off nobody looks")
    func modes() throws {
        let (outcome, report) = try exec("201-broken.script")
        #expect(outcome.status == 0 && report.errors == 1 && outcome.errors.contains("error 201, once: "))
        let script = Self.scripts.appending(path: "201-broken.script").path
        let off = try EmuProcess([
            "exec", "--rules", "off", "--", Self.emu, "replay", script, "--device", "/dev/vhost-vdpa-0",
        ]).finish()
        #expect(off.status == 0 && off.errors.isEmpty, "\(off.output)")
    }

    @Test(
        "emu's own backend breaks none: maps kept and maps sent again, on each kernel",
        arguments: [
            "sim", "sim,kernel=6.1", "sim,kernel=6.12", "sim,parent=dma-map", "sim,parent=vduse",
            "sim,profile=vdpasim-net", "sim,parent=vp-vdpa,memlock=1g", "sim,parent=stateful,memlock=1g",
            "sim,parent=mlx5,memlock=1g",
        ], ["auto", "off"])
    func ownBackend(device: String, persist: String) throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(component: "report.json")
        let outcome = try EmuProcess([
            "exec", "--device", device, "--rules", "enforce", "--report", file.path, "--", Self.emu, "run",
            "--device", "/dev/vhost-vdpa-0", "--memory", "64M", "--packets", "2000", "--cycles", "3",
            "--interval", "1ms", "--persist", persist,
        ]).finish()
        let report = try ExecReport.read(String(contentsOf: file, encoding: .utf8))
        #expect(report.devices.first?.calls ?? 0 > 100, "\(outcome.errors)")
        #expect(report.errors == 0 && report.warnings == 0, "\(outcome.errors)")
        #expect(outcome.status == 0, "\(outcome.output) \(outcome.errors)")
    }

    @Test("--record writes the program's calls as a script that plays with the same answers")
    func record() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(component: "run.script").path
        let outcome = try EmuProcess([
            "exec", "--record", file, "--", Self.emu, "run", "--device", "/dev/vhost-vdpa-0", "--memory",
            "64M",
            "--packets", "2000", "--cycles", "2", "--interval", "1ms",
        ]).finish()
        #expect(outcome.status == 0, "\(outcome.errors)")
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(text.hasPrefix("# emu ") && text.contains("\nUPDATE ") && text.hasSuffix("\nclose -> ok\n"))
        let replay = try EmuProcess(["replay", file, "--device", "sim"]).finish()
        #expect(replay.status == 0 && replay.output.contains("none differs"), "\(replay.output.suffix(2000))")
    }

    @Test(
        "what would do nothing is refused in one line",
        arguments: [
            (["--rules", "off", "--report", "x"], "--report x with --rules off"),
            (["--device", "sim", "--device", "sim", "--record", "x"], "--record x with 2 devices"),
            (["--report", "-"], "--report '-'"), (["--report", "/nonexistent/x"], "--report /nonexistent/x"),
            (["--json"], "--report FILE"),
        ])
    func refusals(words: [String], message: String) throws {
        let outcome = try EmuProcess(["exec"] + words + ["--", "true"]).finish()
        #expect(outcome.status == 2 && outcome.errorLines.count == 1)
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
}
