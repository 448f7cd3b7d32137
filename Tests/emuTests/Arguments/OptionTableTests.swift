import ArgumentParser
import Testing

@testable import emu

/// Every option of every command with what people give it: it is taken, or one line says which option, which value
/// and what to do instead.
@Suite struct OptionTableTests {
    /// An option, values that are refused, and values that are taken.
    struct Row: CustomTestStringConvertible, Sendable {
        var command: String
        var option: String
        var refused: [String]
        var taken: [String]

        var testDescription: String { "\(command) \(option)" }

        /// The command, with what it cannot be without.
        var words: [String] {
            command == "vduse" && option != "--name" ? [command, "--name", "x"] : [command]
        }
    }

    static let noSizes = [
        "", " ", "x", "-1", "-1G", "0", "1", "1K", "63M", "1.5", "1e9", "1E3", "0x40M", "nan",
        "inf",
        "64 M", "64MB", "+64M", "99999999999999999999", "16E", "1.5.5G",
    ]
    static let noTimes = [
        "", " ", "x", "-1s", "0s", "1", "1.s", "1e3s", "0x1s", "nans", "infs", "1 s", "0.5us", "277778h",
    ]
    static let noNumbers = ["", " ", "x", "1.5", "1e3", "0x10", "+1", "1,000", "nan", "99999999999999999999"]

    static let table: [Row] =
        ["run", "check", "cycle", "exec", "info", "replay"].flatMap { command in
            [
                Row(
                    command: command, option: "--device",
                    refused: [
                        "", "sims", "SIM", "vhost-vdpa-0", "fd:", "fd:-1", "fd:x", "sim,", "sim,x=1",
                        "sim,kernel",
                        "sim,kernel=", "sim,kernel=6.0", "sim,queues=0", "sim,queues=65", "sim,queues=-1",
                        "sim,fault=none",
                        "sim,kernel=6.1,kernel=6.1", "sim,memlock=1e9,use-va=off",
                    ],
                    taken: [
                        "sim", "sim,kernel=6.1", "sim,use-va=off,memlock=1.5g", "/dev/vhost-vdpa-0", "fd:3",
                    ]),
                Row(
                    command: command, option: "--log-level", refused: ["", "loud", "0", "-1"],
                    taken: ["trace", "debug", "warning", "error", "critical"]),
            ]
        } + [
            Row(
                command: "run", option: "--memory", refused: noSizes,
                taken: ["64M", "64m", "1G", "1.5G", "67108864", "0.0625G", "1000T"]),
            Row(
                command: "run", option: "--huge-pages", refused: ["", "on", "2M", "-1"],
                taken: ["off", "transparent", "explicit"]),
            Row(
                command: "run", option: "--guest",
                refused: [
                    "", "x", "loopback", "tap", "tap:", "tap:a/b", "tap:abcdefghijklmnop", "tap:a@",
                    "tap:a@..", "pcap:x", "capture", "capture:", "capture:x,", "capture:x,loopback",
                    "capture:x,capture:y",
                ],
                taken: [
                    "generator", "none", "tap:a", "tap:a@b", "capture:x", "capture:x,tap:a@b",
                    "capture:x,none",
                ]),
            Row(
                command: "run", option: "--wire",
                refused: ["", "x", "generator", "tap:", "tap:a@/", "-1", "capture:x,generator"],
                taken: ["loopback", "none", "tap:a", "tap:a@b", "capture:x", "capture:x,tap:a"]),
            Row(
                command: "run", option: "--queues", refused: noNumbers + ["-1", "0", "65"],
                taken: ["1", "64"]),
            Row(
                command: "run", option: "--cycles", refused: noNumbers + ["-1"],
                taken: ["0", "1", "9223372036854775807"]),
            Row(
                command: "run", option: "--interval", refused: noTimes,
                taken: ["1us", "200ms", "1.5s", "1m", "1H"]),
            Row(
                command: "run", option: "--duration", refused: noTimes,
                taken: ["1us", "10s", "0.5s", "1m", "1h"]),
            Row(
                command: "run", option: "--packets", refused: noNumbers + ["-1", "0"],
                taken: ["1", "18446744073709551615"]),
            Row(
                command: "run", option: "--frame-size", refused: noNumbers + ["-1", "0", "59"],
                taken: ["60", "64", "1514"]),
            Row(
                command: "run", option: "--persist", refused: ["", "on", "AUTO"],
                taken: ["auto", "off", "force"]),
            Row(
                command: "run", option: "--lost-rings", refused: ["", "on", "startOver"],
                taken: ["start-over", "recover"]),
            Row(
                command: "check", option: "--only",
                refused: ["", ",", "1,", "x", "0", "-1", "99999", "1;2", "1.5"],
                taken: ["1", "1,2", "2,1,1"]),
            Row(
                command: "check", option: "--sequences", refused: noNumbers + ["-1", "0"],
                taken: ["1", "1000000"]),
            Row(
                command: "cycle", option: "--memory",
                refused: noSizes + ["64M,", ",64M", "64M,1K", "64M;1G"],
                taken: ["64M", "64M,1.5g"]),
            Row(
                command: "cycle", option: "--strategy", refused: ["", "x", "remap,", "remap,x", "REMAP"],
                taken: ["remap", "persist,resume", "remap,remap-verified,remap-unbatched,persist,resume"]),
            Row(
                command: "cycle", option: "--cycles", refused: noNumbers + ["-1", "0"], taken: ["1", "1000"]),
            Row(
                command: "cycle", option: "--huge-pages", refused: ["", "on", "2M"],
                taken: ["off", "transparent", "explicit"]),
            Row(
                command: "cycle", option: "--regions", refused: noNumbers + ["-1", "0", "513"],
                taken: ["1", "512"]),
            Row(
                command: "cycle", option: "--queues", refused: noNumbers + ["-1", "0", "65"],
                taken: ["1", "64"]),
            Row(
                command: "vduse", option: "--name",
                refused: ["", "control", "a/b", ".", "..", "a b", "ä", String(repeating: "a", count: 256)],
                taken: ["vduse0", "a.b_c-1", String(repeating: "a", count: 255)]),
            Row(
                command: "vduse", option: "--wire",
                refused: ["", "x", "generator", "tap:", "tap:a@/", "-1", "capture:x,generator"],
                taken: ["loopback", "none", "tap:a", "tap:a@b", "capture:x", "capture:x,tap:a"]),
            Row(
                command: "vduse", option: "--log-level", refused: ["", "loud", "0", "-1"],
                taken: ["trace", "debug", "warning", "error", "critical"]),
            Row(
                command: "exec", option: "--wire",
                refused: ["", "x", "generator", "tap:", "tap:a@/", "-1", "capture:x,generator"],
                taken: ["loopback", "none", "tap:a", "tap:a@b", "capture:x", "capture:x,tap:a"]),
            Row(
                command: "exec", option: "--rules", refused: ["", "on", "Report", "error"],
                taken: ["report", "enforce", "off"]),
            Row(
                command: "replay", option: "--random", refused: noNumbers + ["-1", "0"],
                taken: ["1", "1000000"]),
            Row(
                command: "replay", option: "--against", refused: ["", "sims", "sim,x=1", "fd:-1"],
                taken: ["sim", "sim,kernel=6.1", "/dev/vhost-vdpa-1"]),
        ]

    /// The one line that `emu` refuses `words` with before it touches anything; `nil` where it would start.
    private func refusal(_ words: [String]) -> String? {
        do {
            let prepared = try CommandWords(commands: [
                "run", "check", "cycle", "vduse", "exec", "info", "replay",
            ])
            .prepared(words)
            switch try Emu.parseAsRoot(prepared) {
            case let run as RunCommand: _ = try run.options()
            case let cycle as CycleCommand: _ = try cycle.plan()
            case let vduse as VDUSECommand: try vduse.checkPort()
            case let exec as ExecCommand: try exec.checkPort()
            default: break
            }
            return nil
        } catch {
            return Emu.refusal(error, of: words.first)
        }
    }

    @Test("A value is refused in one line with the option, the value and what to do", arguments: table)
    func badValue(row: Row) throws {
        for value in row.refused {
            let words = row.words + [row.option, value]
            let line = try #require(refusal(words), "\(words) is taken")
            #expect(!line.contains("\n"))
            #expect(line.contains(row.option), "\(words): \(line)")
            // Of a list it is the part that cannot be, or all of it.
            let part = value.split(separator: ",").last.map(String.init) ?? value
            #expect(line.contains(part.split(separator: " ").joined(separator: " ")), "\(words): \(line)")
            #expect(line.contains("; ") || line.contains("use "), "\(words): \(line)")
        }
    }

    @Test("A value that an option has is taken, in both spellings", arguments: table)
    func goodValue(row: Row) {
        for value in row.taken {
            #expect(refusal(row.words + [row.option, value]) == nil)
        }
        #expect(refusal(row.words + ["\(row.option)=\(row.taken[0])"]) == nil)
    }

    @Test("An option without a value, and one given twice, is refused", arguments: table)
    func missingOrRepeated(row: Row) throws {
        let missing = try #require(refusal(row.words + [row.option]))
        #expect(missing.contains(row.option))
        // Of devices there may be several.
        guard row.testDescription != "exec --device" else { return }
        let twice = try #require(
            refusal(
                row.words + [row.option, row.taken[0], row.option, row.taken[0]]))
        #expect(twice.hasPrefix("\(row.option) is given twice"))
    }

    /// Every option that takes a value has its row: an option added later is not left out.
    @Test(
        "The table has every option of the help",
        arguments: ["run", "check", "cycle", "vduse", "exec", "info", "replay"])
    func everyOption(command: String) throws {
        let help = Emu.helpMessage(
            for: try #require(Emu.configuration.subcommands.first { $0._commandName == command }))
        let rows = Set(Self.table.filter { $0.command == command }.map(\.option))
        // What takes a value has it behind its name.
        let options = help.split(separator: "\n").compactMap { line -> String? in
            let words = line.split(separator: " ")
            guard line.hasPrefix("  --"), words.count > 1, words[1].hasPrefix("<") else { return nil }
            return String(words[0])
        }
        #expect(!options.isEmpty)
        #expect(
            Set(options).subtracting(rows).subtracting([
                "--report", "--seed", "--calls", "--table", "--baseline", "--record",
            ]) == [])
    }

    @Test(
        "Options of which one would do nothing are refused with both names",
        arguments: [
            (
                ["run", "--wire", "tap:x", "--device", "sim,profile=vdpasim-net"],
                ["--wire tap:x", "vdpasim-net"]
            ),
            (["run", "--wire", "loopback", "--device", "sim,profile=vdpasim-net"], ["--wire loopback"]),
            (
                ["run", "--wire", "none", "--device", "/dev/vhost-vdpa-0"],
                ["--wire none", "/dev/vhost-vdpa-0"]
            ),
            (["run", "--frame-size", "64", "--guest", "tap:a"], ["--frame-size 64", "--guest tap:a"]),
            (["run", "--frame-size", "64", "--guest", "none"], ["--frame-size 64", "--guest none"]),
            (["run", "--packets", "5", "--guest", "tap:a"], ["--packets", "--guest tap:a"]),
            (["run", "--interval", "1s", "--cycles", "0"], ["--interval 1s", "--cycles 0"]),
            (["run", "--queues", "2", "--device", "fd:3"], ["--queues 2", "fd:3"]),
            (["run", "--persist", "force", "--device", "fd:3"], ["--persist force", "fd:3"]),
            (["run", "--guest", "tap:a", "--wire", "tap:a"], ["--guest tap:a", "--wire tap:a"]),
            (["run", "--compare", "--persist", "auto"], ["--persist auto", "--compare"]),
            (["run", "--compare", "--persist", "off"], ["--persist off", "--compare"]),
            (["run", "--compare", "--device", "fd:3"], ["--device fd:3", "--compare"]),
            (["run", "--compare", "--cycles", "0"], ["--cycles 0", "--compare"]),
            (["check", "--sequences", "5", "--only", "1"], ["--sequences", "--only"]),
            (["check", "--sequences", "5", "--list"], ["--sequences", "--list"]),
            (["check", "--list", "--only", "1"], ["--only", "--list"]),
            (["check", "--table", "/tmp", "--device", "sim,kernel=6.1"], ["--table /tmp", "--device"]),
            (["run", "--device", "all"], ["'all'", "--device", "emu check"]),
            (["cycle", "--device", "all"], ["'all'", "--device", "emu check"]),
            (["info", "--device", "all"], ["'all'", "--device", "emu check"]),
            (["check", "--device", "all", "--list"], ["--device", "--list"]),
            (["check", "--device", "all", "--table", "/tmp"], ["--device", "--table"]),
            (["check", "--table", "/tmp", "--only", "1"], ["--table /tmp", "--only"]),
            (["check", "--table", "/tmp", "--list"], ["--table /tmp", "--list"]),
            (["check", "--table", "/tmp", "--sequences", "5"], ["--table /tmp", "--sequences"]),
            (["check", "--table", "/tmp", "--seed", "5"], ["--table /tmp", "--seed"]),
            (["check", "--table", "/tmp", "--json"], ["--table /tmp", "--json"]),
            (["check", "--seed", "1"], ["--seed", "--sequences"]),
            (["replay", "a.script", "--seed", "1"], ["--seed", "--random"]),
            (["replay", "a.script", "--calls", "1"], ["--calls", "--random"]),
            (["replay", "a.script", "--random", "1"], ["a.script", "--random"]),
            (["replay", "--random", "1", "--minimise"], ["--minimise", "--random"]),
            (["cycle", "--fragmented", "--huge-pages", "explicit"], ["--fragmented", "--huge-pages"]),
            (["cycle", "--fragmented"], ["--fragmented", "use-va=off"]),
            (["cycle", "--queues", "2", "--device", "fd:3"], ["--queues 2", "fd:3"]),
        ])
    func withoutEffect(words: [String], names: [String]) throws {
        let line = try #require(refusal(words), "\(words) is taken")
        for name in names { #expect(line.contains(name), "\(line)") }
    }
}
