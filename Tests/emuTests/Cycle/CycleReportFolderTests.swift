import CycleBenchmark
import Foundation
import Glibc
import TestSupport
import Testing

@testable import emu

@Suite("emu cycle --report")
struct CycleReportFolderTests {
    private static var outcome: CycleOutcome { CycleOutcome(machine: .current) }

    @Test("leaves earlier files alone until all new ones are whole, and nothing beside them")
    func replaces() throws {
        let folder = try TemporaryFolder()
        try folder.write("earlier", "cycles.csv")
        try folder.write("earlier", "index.html")
        let report = try CycleReportFolder(path: folder.path)
        #expect(folder.names == ["cycles.csv", "index.html"])
        #expect(try folder.text("cycles.csv") == "earlier" && folder.text("index.html") == "earlier")
        try report.write(Self.outcome)
        #expect(folder.names == ["cycles.csv", "cycles.svg", "index.html"])
        #expect(try folder.text("cycles.csv").hasPrefix("strategy,"))
        #expect(try folder.text("index.html").hasSuffix("</html>\n"))
    }

    @Test("a file that cannot be written leaves all earlier ones whole, and is named")
    func keeps() throws {
        let folder = try TemporaryFolder()
        try folder.write("earlier", "cycles.csv")
        try folder.write("earlier", "index.html")
        let report = try CycleReportFolder(path: folder.path)
        // Something stands where the page is written aside.
        let obstacle = ".index.html.\(getpid())"
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: obstacle), withIntermediateDirectories: false)
        let failure = #expect(throws: CycleReportFolder.Failure.self) { try report.write(Self.outcome) }
        #expect(failure?.description.hasPrefix("index.html: ") == true)
        #expect(try folder.text("cycles.csv") == "earlier" && folder.text("index.html") == "earlier")
        #expect(folder.names == [obstacle, "cycles.csv", "index.html"])
    }

    @Test("the page is the last that is put in place: a new one stands beside no earlier data")
    func pageLast() throws {
        let folder = try TemporaryFolder()
        for name in ["cycles.csv", "cycles.svg", "index.html"] { try folder.write("earlier", name) }
        let report = try CycleReportFolder(path: folder.path)
        // The picture cannot be put in place of a folder.
        try FileManager.default.removeItem(at: folder.url.appending(path: "cycles.svg"))
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: "cycles.svg"), withIntermediateDirectories: false)
        let failure = #expect(throws: CycleReportFolder.Failure.self) { try report.write(Self.outcome) }
        #expect(failure?.description.hasPrefix("cycles.svg: ") == true)
        #expect(try folder.text("cycles.csv").hasPrefix("strategy,"))
        #expect(try folder.text("index.html") == "earlier")
        #expect(folder.names == ["cycles.csv", "cycles.svg", "index.html"])
    }

    @Test("what a process that is gone has left aside is removed, what a living one writes is not")
    func leftovers() throws {
        let gone = try Process.run(URL(filePath: "/bin/true"), arguments: [])
        gone.waitUntilExit()
        let number = gone.processIdentifier
        let folder = try TemporaryFolder()
        let kept = [
            ".index.html.\(getppid())", ".index.html.1", ".index.html.old", ".index.html.",
            ".index.html.0\(number)", ".index.html.-\(number)", ".other.\(number)", "index.html.\(number)",
        ].sorted()
        for name in kept { try folder.write("whole", name) }
        for name in ["probe", "cycles.csv", "cycles.svg", "index.html"] {
            for process in [number, getpid(), .max] { try folder.write("half", ".\(name).\(process)") }
        }
        _ = try CycleReportFolder(path: folder.path)
        #expect(folder.names == kept)
    }

    @Test("a file aside is nobody else's: what stands under its name is neither written to nor taken away")
    func exclusive() throws {
        let folder = try TemporaryFolder()
        let report = try CycleReportFolder(path: folder.path)
        try folder.write("somebody's", "target")
        let aside = ".cycles.svg.\(getpid())"
        try FileManager.default.createSymbolicLink(
            atPath: folder.url.appending(path: aside).path, withDestinationPath: "target")
        let failure = #expect(throws: CycleReportFolder.Failure.self) { try report.write(Self.outcome) }
        #expect(failure?.description.hasPrefix("cycles.svg: File exists (") == true)
        #expect(try folder.text("target") == "somebody's")
        #expect(folder.names == [aside, "target"])
    }

    @Test("a folder that cannot be used is refused before anything is measured, with the name and what to do")
    func refused() throws {
        let folder = try TemporaryFolder()
        try folder.write("a file", "file")
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: "taken/index.html"), withIntermediateDirectories: true)
        for path in [
            "", "/proc/emu", "\(folder.path)/file", "\(folder.path)/a/b", "\(folder.path)/taken",
        ] {
            let error = #expect(throws: StartError.self) { _ = try CycleReportFolder(path: path) }
            #expect(error?.description.hasPrefix("--report ") == true)
            #expect(error?.description.contains("name ") == true, "\(path)")
        }
    }

    @Test("a file that standard output goes to is not replaced by the report")
    func standardOutput() throws {
        let folder = try TemporaryFolder()
        let outcome = try EmuProcess.run(
            shell: "exec \"$@\" >'\(folder.path)/cycles.csv'",
            ["cycle", "--memory", "64M", "--cycles", "1", "--json", "--report", folder.path])
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("standard output goes to cycles.csv there"), "\(outcome.errors)")
    }

    @Test("words of a command line can be pasted into a shell")
    func command() {
        #expect(
            ShellText.line(["emu", "--device", "sim,use-va=off", "a b", "it's", ""])
                == #"emu --device sim,use-va=off 'a b' 'it'\''s' ''"#)
    }
}

extension TemporaryFolder {
    fileprivate var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    fileprivate func write(_ text: String, _ name: String) throws {
        try text.write(to: url.appending(path: name), atomically: false, encoding: .utf8)
    }

    fileprivate func text(_ name: String) throws -> String {
        try String(contentsOf: url.appending(path: name), encoding: .utf8)
    }
}
