import Foundation
import Glibc
import Testing

@testable import emu

/// The process as its caller sees it: streams and exit status.
@Suite(.timeLimit(.minutes(15))) struct CommandLineTests {
    @Test(
        "Help goes to standard output, with status 0",
        arguments: [["--help"], ["run", "--help"], ["info", "--help"], ["help", "run"], []])
    func help(arguments: [String]) throws {
        let outcome = try EmuProcess(arguments).finish()
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("USAGE: emu"))
        #expect(outcome.errors.isEmpty)
    }

    @Test(
        "What cannot start ends in status 2 with one line that says why",
        arguments: [
            ["run", "--unheard-of"], ["run", "--memory", "5Q"], ["run", "--interval", "1"], ["walk"],
            ["run", "--device", "sim,kernel=6.1,reset-map=on"], ["run", "--wire", "generator"],
            ["run", "--device", "/dev/vhost-vdpa-0", "--wire", "loopback"],
            ["run", "--device", "/dev/null", "--persist", "force"],
            ["run", "--device", "/nowhere/vhost-vdpa-0"],
            ["run", "--device", "/dev/null"], ["info", "--device", "fd:999"],
            ["info", "--device", "/dev/null"],
            ["run", "--memory", "1000T"],
        ])
    func cannotStart(arguments: [String]) throws {
        let outcome = try EmuProcess(arguments).finish()
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("emu: "))
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    }

    @Test("Guest RAM that this machine does not have is refused by its size")
    func tooMuchMemory() throws {
        // Twice the machine's memory, in whole gigabytes: no more address space than a sanitizer leaves.
        let memory = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        let gigabytes = 2 + ((2 * memory) >> 30)
        let outcome = try EmuProcess.run("run", "--memory", "\(gigabytes)G", "--cycles", "1")
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("of \(gigabytes)G cannot be made resident"), "\(outcome.errors)")
        #expect(outcome.errors.contains("this machine has"), "\(outcome.errors)")
    }

    @Test(
        "With --json the reason is an object as well",
        arguments: [["run", "--memory", "5Q", "--json"], ["info", "--device", "/dev/null", "--json"]])
    func reasonAsObject(arguments: [String]) throws {
        let outcome = try EmuProcess(arguments).finish()
        #expect(outcome.status == 2)
        let report = try outcome.result(ErrorReport.self)
        #expect(outcome.errors == "emu: \(report.error)\n")
        #expect(!report.interrupted)
    }

    @Test("A run prints its summary")
    func summary() throws {
        let outcome = try EmuProcess.run("run", "--memory", "64M", "--cycles", "3", "--interval", "10ms")
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("3 cycles"))
        #expect(outcome.output.contains("\nOK: "))
        #expect(outcome.output.hasSuffix(" frames sent, all of them back and unchanged, over 3 stops\n"))
        #expect(outcome.errors.isEmpty)
    }

    @Test(
        "With --json standard output is one report and people's text goes to standard error",
        arguments: [("auto", true, 0.0, 0.0), ("off", false, 7.0, 6.0)])
    func reportAsJSON(persist: String, acknowledged: Bool, updates: Double, invalidates: Double) throws {
        let outcome = try EmuProcess.run(
            "run", "--memory", "64M", "--cycles", "3", "--interval", "10ms", "--persist", persist, "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try outcome.result(RunReport.self)
        #expect(report.cycles == 3)
        #expect(report.persist == .init(offered: true, acknowledged: acknowledged))
        #expect(report.iotlb.perCycle == .init(updates: updates, invalidates: invalidates))
        #expect(report.setup.sections == 6)
        #expect(report.packets.received == report.packets.sent)
        #expect(report.problems.isEmpty)
        #expect(outcome.errors.contains("OK: "))
    }

    @Test("Maps that are kept without PERSIST show as faults with their addresses and status 1")
    func keptWithoutPersist() throws {
        let outcome = try EmuProcess.run(
            "run", "--device", "sim,kernel=6.1", "--persist", "force", "--memory", "64M", "--cycles", "2",
            "--interval", "10ms")
        #expect(outcome.status == 1, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("WRONG: "))
        #expect(outcome.output.contains(" at 0x"))
    }

    @Test("--packets sends exactly so many and ends when they are back")
    func packets() throws {
        let outcome = try EmuProcess.run(
            "run", "--memory", "64M", "--packets", "1000", "--cycles", "0", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try outcome.result(RunReport.self)
        #expect(report.packets.sent == 1000)
        #expect(report.packets.received == 1000)
        #expect(report.cycles == 0)
    }

    @Test("info --json is one object about the device")
    func information() throws {
        let outcome = try EmuProcess.run("info", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let information = try outcome.result(DeviceInformation.self)
        #expect(information.deviceID == 1)
    }
}
