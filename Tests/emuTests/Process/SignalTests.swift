import Foundation
import Glibc
import Testing

@testable import emu

/// The signals that ask a process to end, as a terminal, a service manager, GNU timeout and batch systems send them.
@Suite(.timeLimit(.minutes(15))) struct SignalTests {
    static let long = [
        "run", "--memory", "64M", "--duration", "100s", "--interval", "10ms", "--json", "--log-level", "info",
    ]

    /// A run that has started its device, so that there is something to lose.
    private func started(_ shell: String = "exec \"$@\"") throws -> EmuProcess {
        let emu = try EmuProcess(shell: shell, Self.long)
        try emu.waitForError("the device has started")
        return emu
    }

    @Test("A signal ends a run cleanly, with its report", arguments: TerminationSignals.requests)
    func signalEndsRun(signal: Int32) throws {
        let emu = try started()
        emu.send(signal)
        let outcome = emu.finish()
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try outcome.result(RunReport.self)
        #expect(report.interrupted)
    }

    // The kernel sends SIGXCPU with every second of CPU time beyond the soft limit.
    @Test("At its soft limit of CPU time a command ends with what it has")
    func softLimit() throws {
        let emu = try EmuProcess(
            shell: "ulimit -S -t 1; exec \"$@\"",
            ["run", "--memory", "64M", "--duration", "100s", "--interval", "10ms", "--json"])
        let outcome = emu.finish()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try outcome.result(RunReport.self).interrupted)
    }

    @Test("SIGQUIT ends a run at once, also where the runtime prints backtraces")
    func quit() throws {
        // A shell's background job ignores it.
        let script = """
            import os, signal, sys
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            signal.signal(signal.SIGQUIT, signal.SIG_DFL)
            os.environ["SWIFT_BACKTRACE"] = "enable=yes"
            os.execv(sys.argv[1], sys.argv[1:])
            """
        let emu = try started("ulimit -c 0; exec python3 -c '\(script)' \"$@\"")
        emu.send(SIGQUIT)
        let outcome = emu.finish()
        #expect(outcome.status == SIGQUIT)
        #expect(outcome.output.isEmpty)
    }

    @Test("The same signal twice at once is one request: the report is there")
    func sameSignalTwice() throws {
        let emu = try started()
        emu.send(SIGTERM)
        emu.send(SIGTERM)
        let outcome = emu.finish()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try outcome.result(RunReport.self).interrupted)
    }

    @Test(
        "Before anything is measured a signal ends the process with a line, an object and 128 + n",
        arguments: TerminationSignals.requests)
    func beforeMeasuring(signal: Int32) throws {
        // Blocked and sent before emu is there, the signal stays for it: it comes before everything.
        let script = """
            import os, signal, sys
            number = int(sys.argv[1])
            signal.pthread_sigmask(signal.SIG_BLOCK, [number])
            os.kill(os.getpid(), number)
            os.execv(sys.argv[2], sys.argv[2:])
            """
        let emu = try EmuProcess(
            shell: "exec python3 -c '\(script)' \(signal) \"$@\"",
            ["run", "--memory", "64M", "--json", "--duration", "100s"])
        let outcome = emu.finish()
        #expect(outcome.status == 128 + signal, "\(outcome.output)\(outcome.errors)")
        #expect(
            outcome.errors.hasSuffix("emu: \(SignalName.of(signal)): ended before anything was measured\n"))
        let report = try outcome.result(ErrorReport.self)
        #expect(report.interrupted)
        #expect(outcome.errors.hasSuffix("emu: \(report.error)\n"))
    }

    @Test("nohup keeps SIGHUP away")
    func nohup() throws {
        let emu = try started("trap '' HUP; exec \"$@\"")
        emu.send(SIGHUP)
        // Were it taken, it would be first, and this one its repetition.
        emu.send(SIGTERM)
        let outcome = emu.finish()
        #expect(outcome.status == 0)
        #expect(!outcome.errors.contains("SIGHUP"))
    }

    @Test("A result that nobody takes is named, and a later signal ends the process")
    func resultNotTaken() throws {
        // A pipe of a page, full, whose reader never reads.
        let script = """
            import fcntl, os, subprocess, sys
            reading, writing = os.pipe()
            fcntl.fcntl(writing, 1031, 4096)
            os.write(writing, b"x" * 4096)
            emu = subprocess.Popen(sys.argv[1:], stdout=writing, stderr=subprocess.PIPE)
            def wait(words):
                if not any(words in line for line in iter(emu.stderr.readline, b"")): sys.exit(99)
            wait(b"the device has started")
            emu.send_signal(15)
            wait(b"still waiting for standard output")
            emu.send_signal(15)
            sys.exit(emu.wait())
            """
        let outcome = try EmuProcess.run(shell: "exec python3 -c '\(script)' \"$@\"", Self.long)
        #expect(outcome.status == 143, "\(outcome.errors)")
    }

    @Test(
        "A later signal ends the process although nobody reads standard error", arguments: ["debug", "info"])
    func errorOutputNotRead(level: String) throws {
        // One pipe of a page for both streams, whose reader stops at the start: debug lines fill it and leave a thread
        // stuck in a write, else it is filled from here. Nobody can be told when a second has gone by: signals go out
        // until they have ended it.
        let script = """
            import fcntl, os, subprocess, sys
            reading, writing = os.pipe()
            fcntl.fcntl(writing, 1031, 4096)
            emu = subprocess.Popen(sys.argv[1:], stdout=writing, stderr=writing)
            seen = b""
            while b"the device has started" not in seen or not seen.endswith(b"\\n"): seen += os.read(reading, 4096)
            if sys.argv[-1] == "info": os.write(writing, b"x" * 4096)
            while emu.poll() is None:
                emu.send_signal(15)
                try: emu.wait(0.1)
                except subprocess.TimeoutExpired: pass
            sys.exit(emu.wait())
            """
        let outcome = try EmuProcess.run(
            shell: "exec timeout -s KILL 60 python3 -c '\(script)' \"$@\"",
            [
                "run", "--memory", "64M", "--duration", "100s", "--interval", "1ms", "--json", "--log-level",
                level,
            ])
        #expect(outcome.status == 143, "\(outcome.errors)")
    }

    @Test(
        "A signal that was ignored at the start is nobody's to take, the others are held",
        arguments: TerminationSignals.requests)
    func ignoredAtStart(signal: Int32) throws {
        // A thread of the test's own may hold all of them back.
        let script = """
            import os, signal, sys
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            signal.signal(\(signal), signal.SIG_IGN)
            os.execv(sys.argv[1], sys.argv[1:])
            """
        let emu = try started("exec python3 -c '\(script)' \"$@\"")
        let status = try String(contentsOfFile: "/proc/\(emu.identifier)/status", encoding: .utf8)
        emu.send(SIGKILL)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("SigBlk:") })
        let held = try #require(UInt64(line.split(separator: "\t")[1], radix: 16))
        for other in TerminationSignals.requests {
            #expect((held >> (other - 1) & 1 == 1) == (other != signal))
        }
        _ = emu.finish()
    }
}
