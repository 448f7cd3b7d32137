import DeviceScripts
import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import emu

/// `emu replay` as its caller sees it.
@Suite(.timeLimit(.minutes(15))) struct ReplayProcessTests {
    /// A device is opened, owned, started and asked for a ring's position.
    private static let script = """
        # a ring of two, with one frame
        open
        SET_OWNER
        memory ram 8K shared
        UPDATE iova=0x1000 size=0x2000 memory=ram+0x0 access=rw
        store ram+0x0 bytes=00200000000000004800000000000000
        store ram+0x100 bytes=000001000000
        SET_STATUS 0x3
        SET_FEATURES 0x300000000
        SET_STATUS 0xb
        SET_VRING_NUM index=1 num=2
        SET_VRING_ADDR index=1 desc=0x1000 avail=0x1100 used=0x1200
        SET_VRING_NUM index=0 num=2
        SET_VRING_ADDR index=0 desc=0x1400 avail=0x1500 used=0x1600
        SET_VRING_ENABLE index=0 num=1
        eventfd kick
        SET_VRING_KICK index=1 fd=kick
        SET_VRING_ENABLE index=1 num=1
        SET_STATUS 0xf
        signal kick
        settle
        GET_VRING_BASE index=1 -> 1  # so many frames
        GET_CONFIG_SIZE -> 24
        SUSPEND -> ok

        """
    private static let device = "sim,profile=vdpasim-net"

    private static func replay(_ text: String, _ arguments: String...) throws -> EmuProcess.Outcome {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(component: "a.script")
        try text.write(to: file, atomically: true, encoding: .utf8)
        return try EmuProcess(["replay", file.path] + arguments).finish()
    }

    @Test("Prints the script with the device's answers, which is a script that replays without a difference")
    func answers() throws {
        let first = try Self.replay(Self.script, "--device", Self.device)
        #expect(first.status == 0 && first.errors.isEmpty)
        #expect(first.output.contains("\nGET_VRING_BASE index=1 -> 1  # so many frames\n"))
        #expect(first.output.hasSuffix("# \(Self.device): 23 calls, 3 answers expected, none differs\n"))
        let second = try Self.replay(first.output, "--device", Self.device)
        #expect(second.status == 0)
        #expect(second.output.hasSuffix("# \(Self.device): 23 calls, 17 answers expected, none differs\n"))
    }

    @Test("One answer that was changed is status 1, and the call is marked")
    func changed() throws {
        let outcome = try Self.replay(Self.script.replacing("-> 1 ", with: "-> 2 "), "--device", Self.device)
        #expect(outcome.status == 1)
        #expect(
            outcome.output.contains("GET_VRING_BASE index=1 -> 1  # so many frames; DIFFERS: expected 2\n"))
        let marks = outcome.output.split(separator: "\n").filter { $0.contains("DIFFERS") }
        #expect(marks.count == 1)
        // The mark goes with the difference.
        let again = try Self.replay(outcome.output, "--device", Self.device)
        #expect(again.status == 0 && !again.output.contains("DIFFERS"))
    }

    @Test("--against has a second device play it, and marks where the two part")
    func against() throws {
        let outcome = try Self.replay(
            Self.script, "--device", Self.device, "--against", "sim,parent=vp-vdpa", "--json")
        #expect(outcome.status == 1)
        let report = try outcome.result(ReplayReport.self)
        #expect(report.device == Self.device && report.against == "sim,parent=vp-vdpa")
        #expect(report.calls == 23 && report.compared == 23)
        let suspend = try #require(report.differences.last)
        #expect(suspend.call == "SUSPEND" && suspend.expected == "EOPNOTSUPP" && suspend.seen == "ok")
        #expect(outcome.errors.contains("SUSPEND -> ok  # DIFFERS: sim,parent=vp-vdpa answers EOPNOTSUPP"))
    }

    @Test("--minimise leaves the calls that the difference takes, and the wait behind a kick")
    func minimised() throws {
        let outcome = try Self.replay(
            Self.script.replacing("-> 1 ", with: "-> 2 "), "--device", Self.device, "--minimise")
        #expect(outcome.status == 1)
        let lines = outcome.output.split(separator: "\n").map(String.init)
        #expect(lines.contains("GET_VRING_BASE index=1 -> 1  # DIFFERS: expected 2"))
        #expect(lines.contains("signal kick") && lines.contains("settle"))
        #expect(!lines.contains { $0.hasPrefix("SUSPEND") || $0.hasPrefix("GET_CONFIG_SIZE") })
        #expect(lines.last == "# \(Self.device): \(lines.count - 1) calls, 1 answer expected, 1 differs")
    }

    @Test("Where no answer is expected and no other device is there, it says that nothing was compared")
    func nothingCompared() throws {
        let outcome = try Self.replay("open\nGET_STATUS\n")
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("GET_STATUS -> 0x0\n"))
        #expect(outcome.output.contains("# sim: 2 calls, no answer compared\n# NOTHING COMPARED: "))
        #expect(!outcome.output.contains("differs"))
    }

    @Test(
        "A script that is none is refused with its line before anything is done",
        arguments: [
            ("open\nGET_STATU\n", "line 2: 'GET_STATU' is no call"),
            ("\n# nothing\n", "there is no call in it"),
            ("open\nsignal kick\n", "a.script, line 2: there is no eventfd kick"),
            ("-> ok\n", "a.script, line 1: a call is expected before '->'"),
            ("memory a 18446744073709547520 shared\n", "a.script, line 1: that is more memory"),
        ])
    func refused(text: String, reason: String) throws {
        let outcome = try Self.replay(text)
        #expect(outcome.status == 2 && outcome.output.isEmpty)
        #expect(outcome.errors.contains(reason) && outcome.errors.split(separator: "\n").count == 1)
    }

    @Test("A file that cannot be read, one that is no text, and none at all are refused in one line")
    func noFile() throws {
        for arguments in [
            ["replay"], ["replay", "/nonexistent"], ["replay", "/bin/true"], ["replay", "/"],
        ] {
            let outcome = try EmuProcess(arguments).finish()
            #expect(outcome.status == 2 && outcome.output.isEmpty, "\(arguments)")
            #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        }
    }

    @Test(
        "--random finds where two devices part, and shows it in short; it says what it has asked, and what never"
    )
    func random() throws {
        let other = "sim,profile=vdpasim-net,kernel=6.1"
        let outcome = try EmuProcess([
            "replay", "--random", "30", "--seed", "1", "--device", Self.device, "--against", other, "--json",
        ]).finish()
        #expect(outcome.status == 1)
        let report = try outcome.result(RandomReplayReport.self)
        #expect(
            report.played == 30 && report.differing > 0 && report.calls > 30 * 100 && report.answers > 100)
        #expect(report.kinds.contains { $0.call.contains("BACKEND_FEATURES") || $0.call.hasPrefix("RESUME") })
        #expect(outcome.errors.contains("calls in 30 scripts"))
        #expect(outcome.errors.contains("never asked: "))
        // What is shown in short still differs, at that call.
        let kind = try #require(report.kinds.first)
        let again = try Self.replay(kind.script, "--device", Self.device, "--against", other, "--json")
        #expect(again.status == 1)
        #expect(try again.result(ReplayReport.self).differences.first?.call == kind.call)
    }

    @Test("--random on two devices that are alike finds nothing, from the same seed the same calls")
    func randomAlike() throws {
        let arguments = [
            "replay", "--random", "10", "--seed", "7", "--device", Self.device, "--against", Self.device,
        ]
        let first = try EmuProcess(arguments).finish()
        #expect(first.status == 0, "\(first.output)")
        #expect(first.output.contains("10 scripts from seed 7") && first.output.contains("none differs"))
        #expect(try EmuProcess(arguments).finish().output == first.output)
        let alone = try EmuProcess(["replay", "--random", "10"]).finish()
        #expect(alone.status == 2 && alone.errors.contains("--against"))
    }

    /// The signal comes while the second device plays, or before that where the machine is slow: either way it is not over.
    @Test(
        "A signal while the second device plays is said, and is status 1: what it did not answer was not compared"
    )
    func interruptedSecond() throws {
        let folder = try TemporaryFolder()
        let file = folder.path("a.script")
        try "open\npause 2000ms\nGET_STATUS\n".write(toFile: file, atomically: true, encoding: .utf8)
        let emu = try EmuProcess(["replay", file, "--against", "sim,kernel=6.1", "--json"])
        usleep(3_000_000)
        emu.send(SIGINT)
        let outcome = emu.finish()
        #expect(outcome.status == 1)
        let report = try outcome.result(ReplayReport.self)
        #expect(report.interrupted && report.compared < 3)
        #expect(outcome.errors.contains("INTERRUPTED"))
    }

    /// The whole takes a second to play, and so does each part of it that has the pause.
    @Test(
        "A signal while a script is shortened has the shortest part so far printed, with its difference, and is status 1"
    )
    func interruptedMinimise() throws {
        let folder = try TemporaryFolder()
        let file = folder.path("a.script")
        let text =
            "open -> ok\npause 1000ms\nGET_CONFIG_SIZE -> 1\n"
            + (0..<64).map { "eventfd e\($0)\n" }.joined()
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let emu = try EmuProcess(["replay", file, "--minimise"])
        usleep(3_500_000)
        emu.send(SIGINT)
        let outcome = emu.finish()
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("INTERRUPTED"))
        // Where the machine is slow the signal comes before there was a difference.
        if !outcome.output.contains("no answer compared"), !outcome.output.contains("none differs") {
            #expect(outcome.output.contains("# DIFFERS: expected 1\n"), "\(outcome.output)")
        }
    }

    /// The device keeps the address that the first replay writes.
    @Test(
        "A difference that does not come again when the script is shortened is shown as it was seen, and is status 1"
    )
    func comesAndGoes() throws {
        let outcome = try Self.replay(
            "open\nGET_CONFIG offset=0 length=1 -> bytes=00\nSET_CONFIG offset=0 bytes=00\n", "--device",
            Self.device,
            "--minimise", "--json")
        #expect(outcome.status == 1)
        let report = try outcome.result(ReplayReport.self)
        #expect(
            report.differences.count == 1 && report.problems.contains { $0.contains("it comes and goes") })
        #expect(
            outcome.errors.contains("GET_CONFIG offset=0 length=1 -> bytes=52  # DIFFERS: expected bytes=00"))
    }

    @Test("Two devices that both refuse to be opened are not alike: what they answer then is nobody's")
    func neitherOpens() throws {
        let script = try DeviceScript(parsing: "# both\nopen\nGET_STATUS\nopen second\nclose\n")
        let refused: [ScriptAnswer?] = [
            nil, .error(.resourceBusy), .error(.badFileDescriptor), .error(.resourceBusy),
            .error(.badFileDescriptor),
        ]
        let open: [ScriptAnswer?] = [nil, .ok, .number(0), .error(.resourceBusy), .ok]
        #expect(
            ReplaySession.refusal(script, refused, refused)?.hasPrefix("neither device was opened: ") == true)
        #expect(ReplaySession.refusal(script, refused, open) == nil)
        #expect(ReplaySession.refusal(script, open, refused) == nil)
        let none = [ScriptAnswer?](repeating: nil, count: 5)
        #expect(ReplaySession.refusal(script, none, none) == nil)
    }
}
