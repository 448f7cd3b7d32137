import Foundation
import Glibc
import Testing

@testable import emu

/// SIGINT, SIGTERM and SIGHUP, as a terminal, a service manager and GNU timeout send them.
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

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func `A signal ends a run cleanly, with its report`(signal: Int32) throws {
        let emu = try started()
        emu.send(signal)
        let outcome = emu.finish()
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try JSONDecoder().decode(RunReport.self, from: Data(outcome.output.utf8))
        #expect(report.interrupted)
    }

    @Test func `The same signal twice at once is one request: the report is there`() throws {
        let emu = try started()
        emu.send(SIGTERM)
        emu.send(SIGTERM)
        let outcome = emu.finish()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try JSONDecoder().decode(RunReport.self, from: Data(outcome.output.utf8)).interrupted)
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func `Before anything is measured a signal ends the process with a line, an object and 128 + n`(
        signal: Int32
    ) throws {
        // What was negotiated is logged before the start, in which 64 late queues take a while.
        let emu = try EmuProcess([
            "run", "--device", "sim,fault=late,queues=64", "--memory", "256M", "--json", "--duration", "100s",
            "--log-level", "info",
        ])
        try emu.waitForError("info ")
        emu.send(signal)
        let outcome = emu.finish()
        #expect(outcome.status == 128 + signal, "\(outcome.output)\(outcome.errors)")
        #expect(
            outcome.errors.hasSuffix("emu: \(SignalName.of(signal)): ended before anything was measured\n"))
        let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
        #expect(object?["interrupted"] as? Bool == true)
        #expect(object?["error"] as? String != nil)
    }

    @Test func `nohup keeps SIGHUP away`() throws {
        let emu = try started("trap '' HUP; exec \"$@\"")
        emu.send(SIGHUP)
        // Were it taken, it would be first, and this one its repetition.
        emu.send(SIGTERM)
        let outcome = emu.finish()
        #expect(outcome.status == 0)
        #expect(!outcome.errors.contains("SIGHUP"))
    }

    @Test func `A result that nobody takes is named, and a later signal ends the process`() throws {
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
}
