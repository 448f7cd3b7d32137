import CycleBenchmark
import Foundation
import Glibc
import TestSupport
import Testing

@testable import emu

/// `emu cycle` as its caller sees it: streams, files and exit status.
@Suite(.timeLimit(.minutes(15))) struct CycleProcessTests {
    @Test("A size that is not there is skipped by name, and the others are measured")
    func skippedSize() throws {
        let outcome = try EmuProcess.run(
            "cycle", "--memory", "64M,100T", "--strategy", "persist", "--cycles", "2", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try outcome.result(CycleReport.self)
        #expect(report.results.map(\.memoryBytes) == [64 << 20])
        #expect(report.results.map(\.cycles) == [2])
        #expect(report.skipped.map(\.memoryBytes) == [100 << 40])
        #expect(!report.interrupted)
        #expect(report.command.hasSuffix("--memory 64M,100T --strategy persist --cycles 2 --json"))
        #expect(outcome.errors.contains("skipped: 100T: "))
    }

    @Test("The load is weighted by the processors that the benchmark may run on")
    func onOneProcessor() throws {
        let outcome = try EmuProcess.run(
            shell: "exec taskset -c $(taskset -pc $$ | sed 's/.*: //; s/[-,].*//') \"$@\"",
            ["cycle", "--memory", "64M", "--strategy", "persist", "--cycles", "2", "--json"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try outcome.result(CycleReport.self).loads.map(\.processors) == [1])
    }

    @Test("Beside a baseline each time has its ratio, and the status is what it was")
    func ratio() throws {
        let folder = try TemporaryFolder()
        let words = ["cycle", "--memory", "64M", "--strategy", "remap,persist", "--cycles", "4", "--json"]
        let before = try EmuProcess(words).finish()
        let file = folder.path("before.json")
        try Data(before.output.utf8).write(to: URL(filePath: file))
        let outcome = try EmuProcess(words + ["--baseline", file]).finish()
        #expect(outcome.status == 0, "\(outcome.errors)")
        let baseline = try #require(try outcome.result(CycleReport.self).baseline)
        #expect(baseline.file == file && baseline.notComparable == [])
        #expect(baseline.pairs.map(\.strategy) == [.remap, .persist])
        #expect(
            baseline.pairs.map(\.before) == (try before.result(CycleReport.self)).results.map(\.cycle.p50))
        #expect(baseline.pairs.allSatisfy { $0.ratio == $0.now / $0.before && $0.isApart != nil })
        #expect(outcome.errors.contains("\nBeside \(file) (emu "), "\(outcome.errors)")
        // Times that nothing comes near to are no failure.
        let line = "{\"strategy\": \"remap\", \"memoryBytes\": 67108864, \"p50\": 0.001}"
        try Data(line.utf8).write(to: URL(filePath: file))
        let other = try EmuProcess(words + ["--baseline", file]).finish()
        #expect(other.status == 0)
        #expect(try other.result(CycleReport.self).baseline?.pairs.map(\.before) == [0.001])
        #expect(other.errors.contains("not comparable: persist, 64 MiB, base pages, "), "\(other.errors)")
    }

    @Test("Sizes none of which is there are one line and status 2")
    func noSizeLeft() throws {
        let outcome = try EmuProcess.run("cycle", "--memory", "90T,100T", "--cycles", "1")
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.split(separator: "\n").count == 1)
        #expect(outcome.errors.contains("90T: ") && outcome.errors.contains("100T: "), "\(outcome.errors)")
    }

    @Test(
        "What cannot be asked for is one line and status 2",
        arguments: [
            ["--cycles", "0"], ["--cycles", "-1"], ["--memory", ""], ["--memory", "64M,"],
            ["--memory", "1000K"],
            ["--strategy", "walk"], ["--strategy", ""], ["--regions", "0"], ["--regions", "513"],
            ["--queues", "0"],
            ["--modelled", "--device", "sim,use-va=off"], ["--fragmented"], ["--report", "/proc/emu"],
            ["--baseline", "/nowhere"], ["--baseline", "/dev/null"], ["--baseline", ""],
            ["--device", "/dev/null"], ["--device", "/nowhere"],
        ])
    func unaskable(arguments: [String]) throws {
        let outcome = try EmuProcess(["cycle"] + arguments).finish()
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("emu: "))
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    }

    @Test("A device that gives no frame back is a problem by name, and status 1")
    func noFrameBack() throws {
        let outside = try TemporaryFolder()
        let folder = outside.url.appending(path: "report")
        let outcome = try EmuProcess.run(
            "cycle", "--device", "sim,fault=loses-maps", "--memory", "64M", "--strategy", "persist",
            "--cycles", "1",
            "--report", folder.path)
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("WRONG: 64M, persist: no frame came back after a stop and start\n"))
        // Nothing was measured, so there is nothing for a page to show.
        #expect(outcome.errors.contains("emu: --report \(folder.path): not written"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test("A problem is status 1 where there are results as well, and without a page")
    func problemBesideResults() throws {
        // The second size is more than may be pinned.
        let outcome = try EmuProcess.run(
            "cycle", "--device", "sim,use-va=off,memlock=80M", "--memory", "64M,128M", "--strategy",
            "persist",
            "--cycles", "1", "--json")
        #expect(outcome.status == 1)
        let report = try outcome.result(CycleReport.self)
        #expect(!report.results.isEmpty)
        #expect(report.problems.contains { $0.hasPrefix("128M: ") }, "\(report.problems)")
    }

    @Test(
        "A signal ends an endless benchmark with what it has: table, JSON and whole files",
        arguments: [SIGINT, SIGTERM])
    func signal(signal: Int32) throws {
        let outside = try TemporaryFolder()
        let folder = outside.url.appending(path: "report")
        let emu = try EmuProcess([
            "cycle", "--memory", "64M", "--strategy", "remap,persist", "--cycles", "9223372036854775807",
            "--json",
            "--report", folder.path, "--log-level", "info",
        ])
        try emu.waitForError("the first cycle of each strategy is measured")
        emu.send(signal)
        let outcome = emu.finish()
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try outcome.result(CycleReport.self)
        #expect(report.interrupted)
        #expect(report.results.map(\.strategy) == [.remap, .persist])
        #expect(report.results.allSatisfy { $0.cycles > 0 })
        #expect(outcome.errors.contains("INTERRUPTED: "))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(names == ["cycles.csv", "cycles.svg", "index.html"])
        let page = try String(contentsOf: folder.appending(path: "index.html"), encoding: .utf8)
        #expect(page.contains("Interrupted before its end") && page.hasSuffix("</html>\n"))
    }
}
