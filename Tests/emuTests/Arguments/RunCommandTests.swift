import ArgumentParser
import EmulatedMachine
import GuestMemory
import SimulatedVDPA
import Testing
import VhostVDPABackend
import VirtioNet

@testable import emu

@Suite struct RunCommandTests {
    /// The options of a command line, as `emu run` makes them.
    private func options(_ arguments: String...) throws -> RunOptions {
        let command = try #require(try Emu.parseAsRoot(["run"] + arguments) as? RunCommand)
        return try command.options()
    }

    @Test("Without options a run is what the design says")
    func defaults() throws {
        let options = try options()
        #expect(options.device.description == "sim")
        #expect(options.queues == 1)
        #expect(options.machine.memory == .gibibytes(1))
        #expect(options.machine.pages == .base)
        #expect(options.machine.guest == .generator)
        #expect(options.machine.wire == .loopback)
        #expect(options.machine.persist == .auto)
        #expect(options.machine.lostRings == .startOver)
        #expect(options.machine.frameByteCount == 64)
        #expect(options.plan.cycles == nil)
        #expect(options.plan.interval == .milliseconds(200))
        #expect(options.plan.duration == .seconds(10))
        #expect(options.plan.packets == nil)
    }

    @Test("Every option reaches the run")
    func everyOptionTaken() throws {
        let options = try options(
            "--device", "sim,kernel=6.1", "--memory", "4G", "--huge-pages", "explicit", "--guest",
            "tap:a@one",
            "--wire", "tap:a@two", "--queues", "1", "--cycles", "7", "--interval", "1500us", "--duration",
            "3s", "--persist", "force", "--lost-rings", "recover")
        #expect(options.device.description == "sim,kernel=6.1")
        #expect(options.machine.memory == .gibibytes(4))
        #expect(options.machine.pages == .explicit)
        #expect(options.machine.guest == .tap(name: "a", namespace: "one"))
        #expect(options.machine.wire == .tap(name: "a", namespace: "two"))
        #expect(options.machine.persist == .force)
        #expect(options.machine.lostRings == .recover)
        #expect(options.plan.cycles == 7)
        #expect(options.plan.interval == .microseconds(1500))
        #expect(options.plan.duration == .seconds(3))
    }

    @Test("A capture is the port behind it, for everything but the file")
    func capture() throws {
        let options = try options(
            "--guest", "capture:g.pcapng", "--wire", "capture:w.pcapng,none", "--packets", "5",
            "--frame-size", "60")
        #expect(options.machine.guest == .capture("g.pcapng"))
        #expect(options.machine.wire == .capture("w.pcapng", PortSpecification.none))
        #expect(options.machine.generatesFrames && !options.machine.wireReturnsFrames)
    }

    @Test("The generator's options reach the run")
    func generator() throws {
        let options = try options("--packets", "12", "--frame-size", "1514")
        #expect(options.machine.frameByteCount == 1514)
        #expect(options.plan.packets == 12)
    }

    @Test(
        "A run that nothing else ends lasts ten seconds",
        arguments: [
            ([], Duration.seconds(10)), (["--cycles", "0"], .seconds(10)), (["--cycles", "5"], nil),
            (["--packets", "5"], nil), (["--packets", "5", "--cycles", "0"], nil),
            (["--cycles", "5", "--packets", "5"], nil),
            (["--cycles", "5", "--duration", "3s"], .seconds(3)),
            (["--packets", "5", "--duration", "3s"], .seconds(3)),
        ])
    func lasting(arguments: [String], duration: Duration?) throws {
        let command = try #require(try Emu.parseAsRoot(["run"] + arguments) as? RunCommand)
        #expect(try command.options().plan.duration == duration)
    }

    @Test(
        "Queue pairs are those asked for, or the device's, and a simulated device gets as many",
        arguments: [
            ([], 1, 1), (["--queues", "3"], 3, 3), (["--device", "sim,queues=4"], 4, 4),
            (["--device", "sim,queues=4", "--queues", "2"], 2, 4),
            (["--device", "/dev/vhost-vdpa-0"], 1, nil),
        ])
    func queuePairs(arguments: [String], driven: Int, had: Int?) throws {
        let command = try #require(try Emu.parseAsRoot(["run"] + arguments) as? RunCommand)
        let options = try command.options()
        #expect(options.queues == driven && options.machine.queuePairs == driven)
        if case .simulated(let specification) = options.machine.device {
            #expect(specification.queuePairs == had)
        } else {
            #expect(had == nil)
        }
    }

    @Test("The least guest RAM that the driver's rings and buffers have a place in is enough")
    func leastMemory() throws {
        let command = try #require(try Emu.parseAsRoot(["run", "--memory", "64M"]) as? RunCommand)
        #expect(try command.options().machine.memory == RunOptions.minimumMemory)
    }

    @Test("A real device has no wire of ours")
    func realDevice() throws {
        #expect(try options("--device", "/dev/vhost-vdpa-0").machine.wire == .none)
    }

    @Test(
        "What cannot be together is refused with what, why and what to do",
        arguments: [
            (
                ["--device", "/dev/vhost-vdpa-0", "--wire", "loopback"],
                "--wire loopback with /dev/vhost-vdpa-0: a real device has its own wire; leave --wire out"
            ),
            (
                ["--device", "fd:3", "--wire", "none"],
                "--wire none with fd:3: a real device has its own wire; leave --wire out"
            ),
            (
                ["--device", "fd:3", "--persist", "force"],
                "--persist force with fd:3: on a real device, maps that are not kept leave it writing where the guest"
                    + " is not; use a simulated device, or --persist auto"
            ),
            (
                ["--wire", "generator"],
                "--wire generator: the generator is the guest's; use loopback, tap:NAME[@NETNS], capture:FILE[,PORT] or none"
            ),
            (
                ["--guest", "loopback"],
                "--guest loopback: the loopback is the wire's; use generator, tap:NAME[@NETNS], capture:FILE[,PORT] or none"
            ),
            (
                ["--guest", "tap:a", "--wire", "tap:a"],
                "--guest tap:a --wire tap:a: one TAP cannot be at both ends; give the wire another"
            ),
            (
                ["--wire", "capture:x,generator"],
                "--wire capture:x,generator: the generator is the guest's; use loopback, tap:NAME[@NETNS],"
                    + " capture:FILE[,PORT] or none"
            ),
            (
                ["--guest", "capture:x", "--wire", "capture:x,none"],
                "--guest capture:x --wire capture:x,none: one capture file cannot be at both ends; give the wire another"
            ),
            (
                ["--guest", "capture:./x", "--wire", "capture:x,none"],
                "--guest capture:./x --wire capture:x,none: one capture file cannot be at both ends; give the wire another"
            ),
            (
                ["--guest", "capture:/dev/./null", "--wire", "capture:/dev/null"],
                "--guest capture:/dev/./null --wire capture:/dev/null: one capture file cannot be at both ends; give the"
                    + " wire another"
            ),
            (
                ["--guest", "capture:x,tap:a", "--wire", "tap:a"],
                "--guest capture:x,tap:a --wire tap:a: one TAP cannot be at both ends; give the wire another"
            ),
            (
                ["--guest", "capture:x,none", "--packets", "5"],
                "--packets with --guest capture:x,none: only the generator counts what it sends; use --duration"
            ),
            (
                ["--wire", "capture:x", "--device", "sim,profile=vdpasim-net"],
                "--wire capture:x with sim,profile=vdpasim-net: the kernel's simulator has no wire, it loops frames back"
                    + " itself; leave --wire out"
            ),
            (
                ["--wire", "capture:x", "--compare"],
                "--wire capture:x with --compare: the second run would overwrite what the first has written; leave one of"
                    + " them out"
            ),
            (
                ["--guest", "none", "--packets", "5"],
                "--packets with --guest none: only the generator counts what it sends; use --duration"
            ),
            (["--queues", "0"], "--queues 0: a device has 1 to 64 queue pairs; use one of these"),
            (["--queues", "65"], "--queues 65: a device has 1 to 64 queue pairs; use one of these"),
            (
                ["--device", "/dev/vhost-vdpa-0", "--queues", "2"],
                "--queues 2 with /dev/vhost-vdpa-0: a real device's further pairs are switched on through its control"
                    + " queue, which the guest's driver does not use; use --queues 1"
            ),
            (
                ["--queues", "2", "--device", "sim,profile=vdpasim-net"],
                "--queues 2 with sim,profile=vdpasim-net: profile=vdpasim-net cannot be with queues=2: vdpa_sim_net has one"
                    + " pair; leave it out"
            ),
            (["--cycles=-1"], "--cycles -1: a run cannot have fewer than none; use 0 or more"),
            (
                ["--frame-size", "59"], "--frame-size 59: a generated frame has 60 to 1514 bytes; use 64, say"
            ),
            (
                ["--cycles", "0", "--interval", "5ms"],
                "--interval 5ms with --cycles 0: there is no stop; leave one of them out"
            ),
            (
                ["--frame-size", "60", "--guest", "none"],
                "--frame-size 60 with --guest none: only the generator makes frames; leave it out"
            ),
            (
                ["--duration", "0s", "--cycles", "3"],
                "--duration 0s: the run would end before it begins; use 1s, say"
            ),
            (["--packets", "0"], "--packets 0: there is nothing to send; use 1 or more"),
            (["--interval", "0ms"], "--interval 0s: the device would never run; use 1ms or more"),
            (["--duration", "0s"], "--duration 0s: the run would end before it begins; use 1s, say"),
            (["--memory", "63M"], "--memory 63M: the guest's driver needs 64M; give it that or more"),
            (
                ["--memory", "67108865"],
                "--memory 67108865: guest RAM comes in whole megabytes; use a multiple of 1M"
            ),
        ])
    func contradiction(arguments: [String], reason: String) throws {
        let command = try #require(try Emu.parseAsRoot(["run"] + arguments) as? RunCommand)
        #expect(throws: StartError(reason)) { try command.options() }
    }

    @Test(
        "A value that cannot be read is refused with its option",
        arguments: [
            (["--memory", "5Q"], "'5Q' is invalid for '--memory <size>': use a number and K, M, G or T"),
            (
                ["--interval", "200"],
                "'200' is invalid for '--interval <time>': use a number and us, ms, s, m or h"
            ),
            (["--guest", "pcap:x"], "'pcap:x' is no port: use generator, loopback, "),
            (["--wire", "bridge"], "'bridge' is no port"),
            (["--wire", "capture:"], "'capture:': a capture needs a file: use capture:FILE[,PORT]"),
            (["--wire", "capture:a,capture:b"], "one capture cannot be inside another"),
            (["--guest", "capture:a,b"], "the port behind the capture: 'b' is no port"),
            (["--persist", "on"], "'auto', 'off' or 'force'"),
            (["--huge-pages", "2M"], "'off', 'transparent' or 'explicit'"),
            (["--device", "sim,color=red"], "'color=red' is unknown"),
            (["--log-level", "loud"], "- debug"),
            (["--unheard-of"], "Unknown option '--unheard-of'"),
        ])
    func unreadable(arguments: [String], words: String) throws {
        let error = try #require(throws: (any Error).self) { try Emu.parseAsRoot(["run"] + arguments) }
        let message = Emu.message(for: error)
        #expect(message.contains(words), "\(message)")
    }
}
