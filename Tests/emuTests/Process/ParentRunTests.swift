import Foundation
import Testing

@testable import emu

/// `emu run` on every kind of parent, healthy and faulty.
@Suite(.timeLimit(.minutes(15))) struct ParentRunTests {
    static let healthy = [
        "sim", "sim,kernel=7.2", "sim,parent=dma-map", "sim,use-va=off,memlock=unlimited",
        "sim,parent=platform,memlock=unlimited", "sim,parent=platform,kernel=6.1,memlock=unlimited",
        "sim,parent=vendor,memlock=unlimited", "sim,parent=vduse", "sim,parent=vp-vdpa,memlock=unlimited",
        "sim,parent=stateful,memlock=unlimited", "sim,parent=mlx5,memlock=unlimited",
        "sim,parent=mlx5,queues=2,memlock=unlimited", "sim,fault=late",
    ]

    @Test(
        "Five cycles with traffic end in status 0, with PERSIST and without", arguments: healthy,
        ["auto", "off"])
    func fiveCycles(device: String, persist: String) throws {
        let outcome = try EmuProcess.run(
            "run", "--device", device, "--memory", "64M", "--cycles", "5", "--interval", "10ms",
            "--persist", persist, "--json")
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        let report = try outcome.result(RunReport.self)
        #expect(report.cycles == 5)
        #expect(report.packets.received > 0)
        #expect(report.persist.acknowledged == (report.persist.offered && persist == "auto"))
        // A message for each section, and an UPDATE for the page that the device must answer for.
        let sections = Double(report.setup.sections)
        #expect(
            report.iotlb.perCycle
                == (report.persist.acknowledged
                    ? .init(updates: 0, invalidates: 0) : .init(updates: sections + 1, invalidates: sections))
        )
        #expect(report.problems.isEmpty)
        // What the device pins is all of guest memory, and VmPin says so.
        let pinned = try #require(report.resources.pinned)
        let pins = device.contains("memlock=")
        #expect(pinned.first == pinned.last)
        #expect(pins ? pinned.first >= report.memoryBytes : pinned.first == 0, "\(pinned)")
        #expect(pinned.first < report.memoryBytes + 2 << 20, "\(pinned)")
    }

    /// Devices, and whether their maps outlive a reset although nobody acknowledged PERSIST: where it is offered, `force`
    /// acknowledges it as `auto` does, and there is nothing to lose.
    static let forced = [
        ("sim", true), ("sim,kernel=7.2", true), ("sim,parent=dma-map", true),
        ("sim,use-va=off,memlock=unlimited", true), ("sim,compat-reset=off", true),
        ("sim,parent=platform,memlock=unlimited", true), ("sim,parent=vendor,memlock=unlimited", true),
        ("sim,parent=vduse", true), ("sim,parent=vp-vdpa,memlock=unlimited", true),
        // Not offered, and kept all the same: nothing but luck.
        ("sim,parent=platform,kernel=6.1,memlock=unlimited", true),
        ("sim,kernel=6.1,parent=vp-vdpa,memlock=unlimited", true),
        // Not offered, and lost.
        ("sim,kernel=6.1", false), ("sim,kernel=6.1,parent=dma-map", false), ("sim,reset-map=off", false),
    ]

    @Test(
        "Forced, maps are there where the decision table keeps them, else the device faults",
        arguments: forced)
    func forcedPersist(device: String, keepsMaps: Bool) throws {
        let outcome = try EmuProcess.run(
            "run", "--device", device, "--memory", "64M", "--cycles", "3", "--interval", "10ms",
            "--persist", "force", "--json")
        #expect(outcome.status == (keepsMaps ? 0 : 1), "\(outcome.output)\(outcome.errors)")
        let report = try outcome.result(RunReport.self)
        #expect(report.persist.acknowledged == report.persist.offered)
        #expect(report.iotlb.perCycle == .init(updates: 0, invalidates: 0))
        #expect((report.faults > 0) != keepsMaps)
        #expect(report.packets.received > 0)
    }

    /// A device, whether PERSIST is used, the exit status and the words that go with it.
    struct Faulty: CustomTestStringConvertible {
        var device: String
        var persist = "auto"
        var status: Int32
        var words: String
        /// What would send its reader to the wrong limit.
        var absent = "Illegal"

        var testDescription: String { "\(device), persist \(persist)" }
    }

    @Test(
        "A faulty device ends in its exit status, in words",
        arguments: [
            Faulty(device: "sim,fault=loses-maps", status: 1, words: "DMA faults"),
            Faulty(
                device: "sim,parent=platform,memlock=unlimited,fault=loses-maps", status: 1,
                words: "DMA faults"),
            Faulty(device: "sim,fault=loses-maps", persist: "off", status: 0, words: "OK: "),
            Faulty(device: "sim,fault=dies", status: 1, words: "the device asked for a reset once"),
            Faulty(device: "sim,fault=suspend", status: 1, words: "the device failed to suspend 4 times"),
            Faulty(
                device: "sim,fault=suspend", persist: "off", status: 1,
                words: "the device failed to suspend 4 times"),
            Faulty(device: "sim,fault=set-map", status: 2, words: "the parent driver's set_map failed"),
            Faulty(
                device: "sim,parent=dma-map,fault=map-half-way", status: 2, words: "the device refused memory"
            ),
            Faulty(
                device: "sim,parent=platform,memlock=16M", status: 2, words: "locked memory", absent: "ulimit"
            ),
            Faulty(
                device: "sim,use-va=off,memlock=32M", status: 2, words: "(memlock=) is 33554432 bytes",
                absent: "RLIMIT"),
            Faulty(device: "sim,entries=6", status: 2, words: "room for 6 (entries=", absent: "ulimit"),
            Faulty(device: "sim,entries=6", status: 2, words: "No space left on device", absent: "memlock"),
            Faulty(
                device: "sim,use-va=off,memlock=unlimited,fragment=4K", status: 2, words: "raise entries=",
                absent: "ulimit"),
        ])
    func faultyDevice(faulty: Faulty) throws {
        let outcome = try EmuProcess.run(
            "run", "--device", faulty.device, "--memory", "64M", "--cycles", "3", "--interval", "20ms",
            "--persist", faulty.persist)
        #expect(outcome.status == faulty.status, "\(outcome.output)\(outcome.errors)")
        #expect(
            (outcome.output + outcome.errors).contains(faulty.words), "\(outcome.output)\(outcome.errors)")
        #expect(!(outcome.output + outcome.errors).contains(faulty.absent), "\(outcome.errors)")
        // One line of an error, in one format.
        if faulty.status == 2 {
            #expect(
                outcome.errors.split(separator: "\n").allSatisfy {
                    $0.hasPrefix("emu: ") || $0.hasPrefix("warning emu: ")
                })
        }
    }
}
