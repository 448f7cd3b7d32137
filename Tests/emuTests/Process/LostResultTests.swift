import Foundation
import TestSupport
import Testing

@testable import emu

/// Results that cannot be written: said in a line and in the exit status, and never taken for success.
@Suite(.timeLimit(.minutes(15))) struct LostResultTests {
    static let run = ["run", "--memory", "64M", "--cycles", "1", "--interval", "10ms"]
    /// Every command with both kinds of result, and what is printed without one.
    static let commands = [
        run, run + ["--json"], ["check", "--only", "1"], ["check", "--only", "1", "--json"],
        ["check", "--sequences", "1", "--json"], ["check", "--list"],
        ["cycle", "--memory", "64M", "--strategy", "persist", "--cycles", "1", "--json"], ["info"],
        ["info", "--json"], ["--help"], ["run", "--help"],
    ]

    @Test(
        "On a full file system the status is 1 and a line says that nothing was written", arguments: commands)
    func fullFileSystem(arguments: [String]) throws {
        let outcome = try EmuProcess.run(shell: "exec \"$@\" >/dev/full", arguments)
        #expect(outcome.status == 1, "\(outcome.errors)")
        #expect(
            outcome.errors.hasSuffix(
                "emu: the result could not be written to standard output: no space is left there; make room, or"
                    + " write to another file system\n"), "\(outcome.errors)")
        #expect(!outcome.errorLines.contains { $0.hasPrefix("OK") }, "\(outcome.errors)")
    }

    @Test(
        "Closed or without a reader, the line says so",
        arguments: [
            ("exec \"$@\" >&-", "it is closed"),
            ("\"$@\" | :; exit ${PIPESTATUS[0]}", "its reader has ended"),
        ])
    func closedOrUnread(command: String, words: String) throws {
        // A run's result comes late enough for the reader to have ended.
        let outcome = try EmuProcess.run(shell: command, Self.run + ["--json"])
        #expect(outcome.status == 1, "\(outcome.errors)")
        #expect(outcome.errorLines.last?.contains(words) == true, "\(outcome.errors)")
    }

    @Test(
        "At the file size limit the line says how to raise it",
        .enabled(if: Sanitizer.current != .thread, "ThreadSanitizer's own runtime writes to files"))
    func fileSizeLimit() throws {
        // Guest RAM is a file too, so a run would not start.
        let outcome = try EmuProcess.run(
            shell: "ulimit -f 0; exec \"$@\" >\"$(mktemp -u)\"", ["info", "--json"])
        #expect(outcome.status == 1, "\(outcome.errors)")
        #expect(outcome.errorLines.last?.contains("raise 'ulimit -f'") == true, "\(outcome.errors)")
    }

    @Test("With all streams closed a run goes its way, and its status tells that nobody was told")
    func allClosed() throws {
        let outcome = try EmuProcess.run(shell: "exec \"$@\" <&- >&- 2>&-", Self.run)
        #expect(outcome.status == 1)
    }

    @Test("A closed stream is never the next file opened")
    func closedStreamStaysClosed() throws {
        // strace is not everywhere: /proc shows what descriptors 0 to 2 are while a run goes on.
        let emu = try EmuProcess(
            shell: "exec \"$@\" <&- >&-",
            ["run", "--memory", "64M", "--duration", "100s", "--log-level", "info"])
        try emu.waitForError("the device has started")
        for descriptor in 0...1 {
            let target = try FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/\(emu.identifier)/fd/\(descriptor)")
            #expect(target == "/dev/null")
        }
        emu.send(SIGTERM)
        #expect(emu.finish().status == 1)
    }

    @Test(
        "Messages that nobody can read change nothing where the result is on standard output",
        arguments: ["2>&-", "2>/dev/full"])
    func unreadMessages(redirection: String) throws {
        let outcome = try EmuProcess.run(shell: "exec \"$@\" \(redirection)", Self.run)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("OK"))
    }

    @Test("What cannot start is status 2, whatever can be written")
    func cannotStart() throws {
        let outcome = try EmuProcess.run(shell: "exec \"$@\" >&-", ["run", "--memory", "1K", "--json"])
        #expect(outcome.status == 2)
        #expect(outcome.errorLines.count == 1)
    }

    @Test(
        "A standard output that refuses every write for the moment is given up",
        arguments: [EINTR, EAGAIN, 0], [["info"], run, run + ["--json"]])
    func refusingOutput(errno: Int32, arguments: [String]) throws {
        let outcome = try RefusedCall.write(to: 1, errno).run(arguments)
        #expect(outcome.status == 1, "\(outcome.errors)")
        #expect(
            outcome.errorLines.last?.contains("standard output: write is refused every time") == true,
            "\(outcome.errors)")
    }

    @Test(
        "A standard error that refuses every write for the moment is given up", arguments: [EINTR, EAGAIN, 0])
    func refusingErrorOutput(errno: Int32) throws {
        let outcome = try RefusedCall.write(to: 2, errno).run(Self.run + ["--json"])
        #expect(outcome.status == 1)
        #expect(try outcome.result(RunReport.self).packets.sent > 0)
        #expect(try RefusedCall.write(to: 2, errno).run(["run", "--memory", "1K"]).status == 2)
    }

    @Test("A standard output that does not block gets all of the result")
    func nonblocking() throws {
        // The reader begins after the pipe, made small, has filled up.
        let script = """
            import fcntl, os, subprocess, sys, time
            reading, writing = os.pipe()
            fcntl.fcntl(writing, 1031, 4096)
            os.set_blocking(writing, False)
            emu = subprocess.Popen(sys.argv[1:], stdout=writing)
            os.close(writing)
            os.waitid(os.P_PID, emu.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            while fcntl.ioctl(reading, 0x541B, b"\\0" * 4) != (4096).to_bytes(4, "little"): time.sleep(0.01)
            text = b""
            while part := os.read(reading, 65536): text += part
            sys.stdout.buffer.write(text)
            sys.exit(emu.wait())
            """
        let outcome = try EmuProcess.run(
            shell: "exec python3 -c '\(script)' \"$@\"", ["check", "--list"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output == (try EmuProcess.run("check", "--list")).output)
    }
}
