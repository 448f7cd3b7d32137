import DeviceScripts
import Foundation
import TestSupport
import Testing

@testable import emu

/// `--record` as its caller sees it.
@Suite(.timeLimit(.minutes(15))) struct RecordProcessTests {
    /// Runs a command that records, and gives what it left in the file.
    private static func record(_ folder: TemporaryFolder, _ arguments: String...) throws -> (
        outcome: EmuProcess.Outcome, text: String
    ) {
        let file = folder.path("a.script")
        let outcome = try EmuProcess(arguments + ["--record", file]).finish()
        return (outcome, (try? String(contentsOfFile: file, encoding: .utf8)) ?? "")
    }

    private static func replay(_ folder: TemporaryFolder, _ text: String, on device: String) throws
        -> EmuProcess.Outcome
    {
        let file = folder.path("b.script")
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return try EmuProcess(["replay", file, "--device", device]).finish()
    }

    static let kinds = [
        "sim", "sim,parent=dma-map", "sim,parent=platform,memlock=unlimited",
        "sim,parent=vp-vdpa,memlock=unlimited", "sim,parent=vduse", "sim,profile=vdpasim-net",
        "sim,kernel=6.1",
    ]

    @Test(
        "What a run did to a device replays on another one of its kind without a difference, maps kept or not",
        arguments: kinds, ["auto", "off"])
    func run(device: String, persist: String) throws {
        let folder = try TemporaryFolder()
        let (outcome, text) = try Self.record(
            folder, "run", "--device", device, "--memory", "64M", "--cycles", "3", "--interval", "5ms",
            "--persist", persist)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(text.contains("\nSET_STATUS 0xf -> ok\n"))
        #expect(text.split(separator: "\n").count { $0 == "SET_STATUS 0xf -> ok" } == 4)
        let played = try Self.replay(folder, text, on: device)
        #expect(played.status == 0)
        #expect(played.output.hasSuffix(" answers expected, none differs\n"), "\(played.output)")
    }

    @Test("One answer of a recording that was changed is the one that differs")
    func changed() throws {
        let folder = try TemporaryFolder()
        let (_, text) = try Self.record(
            folder, "run", "--memory", "64M", "--cycles", "1", "--interval", "5ms")
        let changed = text.replacing("GET_VQS_COUNT -> 2", with: "GET_VQS_COUNT -> 3")
        #expect(changed != text)
        let played = try Self.replay(folder, changed, on: "sim")
        #expect(played.status == 1)
        let marks = played.output.split(separator: "\n").filter { $0.contains("DIFFERS") }
        #expect(marks == ["GET_VQS_COUNT -> 2  # DIFFERS: expected 3"])
    }

    @Test(
        "What the rules ask replays on another device of its kind without a difference, and recording changes no outcome",
        arguments: ["sim", "sim,profile=vdpasim-net", "sim,parent=vduse", "sim,kernel=6.1,parent=dma-map"])
    func check(device: String) throws {
        let folder = try TemporaryFolder()
        let plain = try EmuProcess(["check", "--device", device]).finish()
        let (outcome, text) = try Self.record(folder, "check", "--device", device)
        #expect(outcome.output == plain.output && outcome.status == plain.status)
        #expect(text.contains("\n# what the device is\n") && text.contains("\n# rule 1: "))
        let played = try Self.replay(folder, text, on: device)
        #expect(played.status == 0)
        #expect(played.output.hasSuffix(" answers expected, none differs\n"))
    }

    @Test(
        "A benchmark is recorded with every device that it opens, and says that its times are none to compare"
    )
    func cycle() throws {
        let folder = try TemporaryFolder()
        let (outcome, text) = try Self.record(
            folder, "cycle", "--memory", "64M,65M", "--cycles", "1", "--strategy", "remap,resume", "--json")
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("the calls were recorded"))
        #expect(text.split(separator: "\n").count { $0 == "open -> ok" } == 2)
        #expect(text.contains("\nRESUME -> ok\n"))
        #expect(try Self.replay(folder, text, on: "sim").status == 0)
    }

    @Test(
        "The first lines say which emu did what, to which device, and when; both runs of a comparison are there"
    )
    func header() throws {
        let folder = try TemporaryFolder()
        let (outcome, text) = try Self.record(
            folder, "run", "--compare", "--memory", "64M", "--cycles", "1", "--interval", "5ms")
        #expect(outcome.status == 0)
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines[0].hasPrefix("# emu \(Version.number) ("))
        #expect(lines[1].hasPrefix("# emu run --compare --memory 64M"))
        #expect(lines[2].hasPrefix("# device sim, simulated, on Linux ") && lines[2].hasSuffix(" UTC"))
        #expect(lines.count { $0 == "open -> ok" } == 2 && lines.count { $0 == "close -> ok" } == 2)
        #expect(text.contains("# \(RunComparison.keptName)\n"))
        #expect(text.contains("# \(RunComparison.notNegotiatedName)\n"))
    }

    @Test("A file that a recording cannot go to is refused in one line, and is left as it is")
    func refused() throws {
        let folder = try TemporaryFolder()
        _ = try folder.makePipe("fifo")
        for (file, words) in [
            ("", "name a file"), ("-", "standard output"), (folder.url.path(), "is a folder"),
            (folder.path("none/a.script"), "there is no folder"), ("/dev/tty", "no file"),
            (folder.path("fifo"), "nobody reads this pipe"),
        ] {
            let outcome = try EmuProcess(["run", "--memory", "64M", "--cycles", "1", "--record", file])
                .finish()
            #expect(outcome.status == 2 && outcome.output.isEmpty, "\(file)")
            #expect(
                outcome.errors.hasPrefix("emu: --record") && outcome.errors.contains(words),
                "\(outcome.errors)")
            #expect(outcome.errorLines.count == 1)
        }
        let own = try EmuProcess.run(
            shell: "exec \"$@\" >\(folder.path("out"))",
            ["run", "--memory", "64M", "--cycles", "1", "--record", folder.path("out")])
        #expect(own.status == 2 && own.errors.contains("standard output goes there"))
    }

    @Test("A command that does not start leaves an earlier recording alone, and makes none")
    func notStarted() throws {
        let folder = try TemporaryFolder()
        let file = folder.path("a.script")
        let arguments = ["run", "--device", folder.path("none"), "--memory", "64M", "--record", file]
        #expect(try EmuProcess(arguments).finish().status == 2)
        #expect(!FileManager.default.fileExists(atPath: file))
        try "open\n".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try EmuProcess(arguments).finish().status == 2)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "open\n")
        // And one that starts has nothing of it left.
        let run = ["run", "--memory", "64M", "--cycles", "1", "--interval", "5ms", "--record", file]
        #expect(try EmuProcess(run).finish().status == 0)
        #expect(try String(contentsOfFile: file, encoding: .utf8).contains("\nopen -> ok\n"))
    }

    @Test("Options that say nothing of one device's calls go without --record")
    func combinations() throws {
        for arguments in [
            ["check", "--device", "all"], ["check", "--sequences", "1"], ["check", "--list"],
            ["cycle", "--report", "x"], ["cycle", "--baseline", "x"],
        ] {
            let outcome = try EmuProcess(arguments + ["--record", "/nonexistent/a"]).finish()
            #expect(outcome.status == 2, "\(arguments)")
            #expect(outcome.errors.contains("with --record"), "\(outcome.errors)")
        }
    }

    @Test(
        "A line that cannot be written ends the recording with the last whole one, and not the run: status 1",
        .enabled(if: Sanitizer.current != .thread, "ThreadSanitizer's own runtime writes to files"))
    func full() throws {
        let folder = try TemporaryFolder()
        let file = folder.path("a.script")
        let run = ["run", "--memory", "64M", "--cycles", "3", "--interval", "5ms", "--record"]
        let device = try EmuProcess(run + ["/dev/full"]).finish()
        #expect(device.status == 1 && device.output.contains("OK: "))
        #expect(device.errors.contains("--record /dev/full: lines are missing"))
        // A run's guest RAM is a file, too.
        let limited = try EmuProcess.run(
            shell: "trap '' XFSZ; ulimit -f 1; exec \"$@\"", ["check", "--only", "1,2,5", "--record", file])
        #expect(limited.status == 1 && limited.output.contains("3 passed"), "\(limited.output)")
        #expect(limited.errors.contains("raise the limit"))
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(text.hasSuffix("\n") && text.utf8.count <= 1024)
        #expect(throws: Never.self) { try DeviceScript(parsing: text) }
    }

    @Test("A process that is killed leaves what it had done, in whole lines")
    func killed() throws {
        let folder = try TemporaryFolder()
        let file = folder.path("a.script")
        let process = try EmuProcess(["run", "--memory", "64M", "--interval", "1ms", "--record", file])
        for _ in 0..<60_000 {
            if let text = try? String(contentsOfFile: file, encoding: .utf8), text.contains("SUSPEND") {
                break
            }
            usleep(1000)
        }
        process.send(SIGKILL)
        _ = process.finish()
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(text.hasSuffix("\n") && text.contains("\nSUSPEND -> ok\n"))
        #expect(try Self.replay(folder, text, on: "sim").status == 0)
    }
}
