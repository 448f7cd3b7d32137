import Glibc
import TestSupport
import Testing

@testable import emu

/// Without /proc a command is still the command it was, and names what it cannot do without.
@Suite(
    .timeLimit(.minutes(15)),
    .enabled(
        if: Sanitizer.current == nil,
        "a sanitizer's own runtime reads /proc, and ends the process where there is none"))
struct WithoutProcTests {
    /// A shell's command with nothing on /proc: as root in a mount namespace, else in a user namespace too.
    private static let hidden =
        "exec unshare \(geteuid() == 0 ? "-m" : "-rm") bash -c 'mount -t tmpfs none /proc && exec \"$@\"' bash \"$@\""

    @Test(
        "What needs no mapped memory works",
        arguments: [["--version"], ["info"], ["info", "--json"], ["check", "--list"]])
    func works(arguments: [String]) throws {
        let outcome = try EmuProcess.run(shell: Self.hidden, arguments)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(!outcome.output.contains("USAGE"))
        #expect(!outcome.output.isEmpty)
        if arguments.contains("--json") { _ = try outcome.result(DeviceInformation.self) }
    }

    @Test(
        "What a simulated device cannot do without is named, with what to do",
        arguments: [
            ["run", "--memory", "64M", "--cycles", "1"], ["cycle", "--memory", "64M", "--cycles", "1"],
            ["check", "--only", "1"], ["check", "--sequences", "1"],
        ])
    func refused(arguments: [String]) throws {
        let outcome = try EmuProcess.run(shell: Self.hidden, arguments)
        #expect(outcome.status == 2)
        #expect(outcome.errorLines.count == 1)
        #expect(outcome.errors.contains("/proc/self/maps"))
        #expect(outcome.errors.hasSuffix("mount /proc\n"), "\(outcome.errors)")
    }
}
