import Foundation
import Glibc
import TestSupport
import Testing

@testable import emu

/// The signals of a program under `emu exec`: those that it begins with, and those that `emu` gets.
@Suite(.timeLimit(.minutes(15))) struct ForeignSignalTests {
    /// Each is one a program may take for anything.
    private static let signals = TerminationSignals.requests + [SIGWINCH, SIGCONT]

    @Test("the program gets the signal that emu got, and goes on as it wants", arguments: signals)
    func taken(signal: Int32) throws {
        let process = try ForeignClient.start("on-signal \(signal) ready pause sleep 100")
        try process.waitForError("ready")
        process.send(signal)
        let answers = ForeignClient.answers(of: process)
        #expect(answers.status == 0 && answers.errors.isEmpty, "\(answers)")
        #expect(answers.of("signal") == [String(format: "%02d", signal)])
    }

    @Test(
        "a program that does not take it ends by that signal, and emu's status says so",
        arguments: [SIGINT, SIGHUP, SIGUSR1])
    func notTaken(signal: Int32) throws {
        let process = try ForeignClient.start("ready pause")
        try process.waitForError("ready")
        process.send(signal)
        #expect(process.finish().status == 128 + signal)
    }

    @Test("a signal that a program has of its own may come any number of times: emu does not end by it")
    func again() throws {
        let process = try ForeignClient.start("on-signal \(SIGUSR1) repeat 3 ready pause")
        for turn in 1...3 {
            try process.waitForError("ready")
            // Later than the time in which signals are the same request.
            if turn > 1 { usleep(1_100_000) }
            process.send(SIGUSR1)
        }
        let answers = ForeignClient.answers(of: process)
        #expect(answers.status == 0 && answers.of("signal").count == 3, "\(answers)")
    }

    @Test("SIGTSTP stops emu as well, and SIGCONT has both go on")
    func stop() throws {
        let process = try ForeignClient.start("on-signal \(SIGTSTP) ready pause ready")
        try process.waitForError("ready")
        process.send(SIGTSTP)
        // A SIGCONT takes back a SIGTSTP that nobody has taken yet; emu stops a moment after the program has it.
        try process.waitForError("ready")
        #expect(
            eventually {
                process.send(SIGCONT)
                return kill(process.identifier, 0) != 0
            })
        #expect(ForeignClient.answers(of: process).of("signal") == ["\(SIGTSTP)"])
    }

    @Test("Ctrl-C at a terminal is one signal for the program, not two")
    func terminal() throws {
        let script = """
            import os, pty, signal, sys
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            child, terminal = pty.fork()
            if child == 0: os.execv(sys.argv[1], sys.argv[1:])
            seen = b""
            def read():
                global seen
                try: more = os.read(terminal, 4096)
                except OSError: return False
                seen += more
                return bool(more)
            while b"ready" not in seen and read(): pass
            os.write(terminal, b"\\x03")
            while read(): pass
            os.write(1, seen.replace(b"\\r", b""))
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            """
        let answers = try ForeignClient.run(
            "on-signal \(SIGINT) ready pause sleep 500", shell: "exec python3 -c '\(script)' \"$@\"")
        #expect(answers.status == 0, "\(answers)")
        #expect(answers.lines.count { $0.contains("signal 02") } == 1, "\(answers)")
    }

    @Test(
        "the program begins with the signals that emu was started with: what is blocked, and what is ignored")
    func inherited() throws {
        let script = """
            import os, signal, sys
            signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR2, signal.SIGTERM, 40])
            for number in (signal.SIGHUP, signal.SIGXFSZ): signal.signal(number, signal.SIG_IGN)
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            os.execv(sys.argv[1], sys.argv[1:])
            """
        let outcome = try EmuProcess(
            shell: "exec python3 -c '\(script)' \"$@\"",
            ["exec", "--", "grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"]
        ).finish()
        let blocked = UInt64(1) << (SIGUSR2 - 1) | 1 << (SIGTERM - 1) | 1 << 39
        let ignored = UInt64(1) << (SIGHUP - 1) | 1 << (SIGXFSZ - 1)
        // Signal 32 is the C library's own, and whatever it was.
        let lines = outcome.output.split(separator: "\n").map {
            UInt64($0.split(separator: "\t")[1], radix: 16).map { $0 & ~(1 << 31) }
        }
        #expect(lines == [blocked, ignored], "\(outcome.output) \(outcome.errors)")
    }
}
