import Foundation
import Testing

@testable import emu

/// The live line on a terminal of a given width, and where none belongs.
@Suite(.timeLimit(.minutes(15))) struct TerminalTests {
    /// What `emu run` writes to a terminal of `columns` columns in its environment.
    private func terminalOutput(columns: Int, _ environment: String) throws -> String {
        let script = """
            import fcntl, os, pty, struct, sys, termios
            pid, terminal = pty.fork()
            if pid == 0:
                fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
                os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
                os.execvp(sys.argv[2], sys.argv[2:])
            try:
                while part := os.read(terminal, 65536): sys.stdout.buffer.write(part)
            except OSError: pass
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            """
        let outcome = try EmuProcess.run(
            shell: "\(environment) exec python3 -c '\(script)' \(columns) \"$@\"",
            ["run", "--memory", "64M", "--duration", "2500ms"])
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        return outcome.output
    }

    private static let erase = "\r\u{1b}[K"

    @Test("The live line never reaches the terminal's last column", arguments: [20, 60, 200])
    func lastColumn(columns: Int) throws {
        let text = try terminalOutput(columns: columns, "unset NO_COLOR; TERM=xterm")
        let lines = text.components(separatedBy: Self.erase).dropFirst()
        // Once a second, and taken away at the end.
        #expect(lines.count >= 3)
        #expect(lines.last == "")
        #expect(lines.contains { $0.contains("s  sent") })
        #expect(lines.allSatisfy { $0.count < columns }, "\(lines)")
        #expect(columns < 100 || lines.contains { $0.contains("packets/s") })
    }

    @Test(
        "A terminal that cannot rewrite a line, or is asked not to, gets plain text only",
        arguments: ["TERM=dumb", "TERM=", "unset TERM;", "TERM=xterm NO_COLOR=1"])
    func plainText(environment: String) throws {
        #expect(try terminalOutput(columns: 80, environment) == "")
    }
}
