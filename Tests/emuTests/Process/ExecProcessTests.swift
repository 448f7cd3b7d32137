import Foundation
import Glibc
import TestSupport
import Testing

@testable import emu

/// `emu exec` as the program that it runs and as its caller see it. The program is `emu` itself, which drives what it finds
/// at /dev/vhost-vdpa-0 as it drives the kernel's, or a shell. `scripts/check exec` asks every kind of device.
@Suite(.timeLimit(.minutes(15))) struct ExecProcessTests {
    private static func exec(
        devices: [String] = [], _ program: String...
    ) throws -> EmuProcess.Outcome {
        try EmuProcess(
            shell: ForeignClient.unblocked,
            ["exec"] + devices.flatMap { ["--device", $0] } + ["--"] + program
        ).finish()
    }

    private static let emu = EmuProcess.executable.path

    /// The outcomes of the rules, by number, but for those that ask for what only one side has: a descriptor (10), a look
    /// into the device (54).
    private static func outcomes(_ outcome: EmuProcess.Outcome) throws -> [String] {
        let lines = outcome.output.split(separator: "\n").compactMap { line -> String? in
            let words = line.split(separator: " ")
            guard words.count > 2, let number = Int(words[0]), ![10, 54].contains(number) else { return nil }
            return "\(number) \(words[1])"
        }
        try #require(lines.count > 70, "no rules: \(outcome.errors)")
        return lines
    }

    @Test(
        "emu check through it gives what emu check gives of the same device, rule by rule",
        // A message of 40 bytes answers 72, as the kernel's: AddressSanitizer takes that for 72 bytes that were read. Under
        // ThreadSanitizer the rules' waits take minutes.
        .enabled(if: Sanitizer.current == nil, "a sanitizer's write(2) does not know vhost's answer"),
        arguments: ["sim,kernel=6.1", "sim,parent=vp-vdpa", "sim,parent=mlx5", "sim,profile=vdpasim-net"])
    func rules(device: String) throws {
        let direct = try EmuProcess(["check", "--device", device]).finish()
        let through = try Self.exec(devices: [device], Self.emu, "check", "--device", "/dev/vhost-vdpa-0")
        #expect(through.status == 0, "\(through.output.suffix(2000)) \(through.errors)")
        #expect(try Self.outcomes(through) == Self.outcomes(direct))
        #expect(through.output.contains("passed  read() is EINVAL, epoll ADD is EPERM"))
    }

    @Test(
        "emu run through it moves every frame, over stops and starts",
        arguments: ["sim", "sim,parent=dma-map"])
    func frames(device: String) throws {
        let outcome = try Self.exec(
            devices: [device], Self.emu, "run", "--device", "/dev/vhost-vdpa-0", "--memory", "64M",
            "--packets", "20000",
            "--cycles", "3", "--interval", "1ms")
        #expect(outcome.status == 0, "\(outcome.output) \(outcome.errors)")
        #expect(outcome.output.contains("OK: ") && outcome.output.contains("over 3 stops"))
    }

    @Test("--log-level info: the end says what became of the frames of each device")
    func frameAccount() throws {
        let outcome = try EmuProcess([
            "exec", "--log-level", "info", "--device", "sim", "--", Self.emu, "run", "--device",
            "/dev/vhost-vdpa-0",
            "--memory", "64M", "--packets", "5000", "--cycles", "1", "--interval", "1ms", "--log-level",
            "error",
        ]).finish()
        #expect(outcome.status == 0, "\(outcome.output) \(outcome.errors)")
        let line = try #require(outcome.errors.split(separator: "\n").last { $0.contains("emu: frames ") })
        for count in ["receiveLeft=5000", "transmitEntered=5000", "transmitMissing=0", "ringErrors=0"] {
            #expect(line.contains(count), "\(line)")
        }
    }

    @Test("two programs have two devices at once; a third finds no device, and what is open is busy")
    func twoDevices() throws {
        let run = "run --memory 64M --packets 5000 --cycles 2 --interval 1ms --device /dev/vhost-vdpa"
        let outcome = try Self.exec(
            devices: ["sim", "sim,parent=dma-map"], "sh", "-c",
            "\(Self.emu) \(run)-0 & one=$!; \(Self.emu) \(run)-1 & two=$!; wait $one && wait $two"
                + " && ! \(Self.emu) \(run)-2 2>&1 && exec 7<>/dev/vhost-vdpa-0 && ! \(Self.emu) \(run)-0 2>&1"
        )
        #expect(outcome.status == 0, "\(outcome.output) \(outcome.errors)")
        #expect(outcome.output.ranges(of: "OK: ").count == 2)
        #expect(outcome.output.contains("/dev/vhost-vdpa-2") && outcome.output.contains("busy"))
    }

    @Test("a program that is killed has its device released: the next open works at once")
    func killedClient() throws {
        let outcome = try Self.exec(
            "bash", "-c",
            """
            for turn in 1 2 3 4 5; do
                \(Self.emu) run --memory 64M --duration 100s --device /dev/vhost-vdpa-0 >/dev/null 2>&1 & child=$!
                until ls -l /proc/$child/fd | grep -q /dev/full; do kill -0 $child || exit 3; done
                kill -KILL $child; wait $child 2>/dev/null
            done
            \(Self.emu) run --memory 64M --packets 2000 --cycles 2 --interval 1ms --device /dev/vhost-vdpa-0
            """)
        #expect(outcome.status == 0, "\(outcome.output) \(outcome.errors)")
        #expect(outcome.output.contains("OK: "))
    }

    @Test(
        "the program's status is its own; one that a signal ended is 128 and the signal",
        arguments: [("exit 7", 7), ("kill -TERM $$", 143), ("true", 0)])
    func status(command: String, status: Int32) throws {
        let outcome = try Self.exec("sh", "-c", command)
        #expect(outcome.status == status && outcome.errors.isEmpty)
    }

    @Test("the program's options are its own, and its output as well")
    func options() throws {
        let outcome = try Self.exec("echo", "--json", "--device", "a", "--device", "b", "--", "--help", "-1")
        #expect(outcome.status == 0 && outcome.output == "--json --device a --device b -- --help -1\n")
    }

    @Test(
        "a program that is not there, none at all, and a device that is the kernel's are refused in one line")
    func refusals() throws {
        let missing = try Self.exec("/nonexistent/program")
        #expect(missing.status == 2 && missing.errorLines.count == 1)
        #expect(missing.errors.contains("/nonexistent/program: cannot be started: No such file or directory"))
        let none = try EmuProcess(["exec"]).finish()
        #expect(none.status == 2 && none.errorLines.count == 1 && none.errors.contains("which program?"))
        let real = try Self.exec(devices: ["/dev/vhost-vdpa-0"], "true")
        #expect(real.status == 2 && real.errors.contains("use sim[,key=value]…"))
    }

    @Test("SIGTERM asks the program to end, and SIGKILL ends it with emu", arguments: [SIGTERM, SIGKILL])
    func signals(signal: Int32) throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(component: "process").path
        let process = try EmuProcess(
            shell: ForeignClient.unblocked,
            ["exec", "--", "sh", "-c", "echo $$ > \(file).new; mv \(file).new \(file); exec sleep 1000"])
        var program: Int32 = 0
        #expect(
            eventually {
                program =
                    (try? String(contentsOfFile: file, encoding: .utf8)).flatMap { Int32($0.dropLast()) } ?? 0
                return program > 0
            })
        process.send(signal)
        #expect(process.finish().status == (signal == SIGTERM ? 143 : 9))
        #expect(eventually { kill(program, 0) != 0 })
    }

    @Test("what the program has left behind is answered as the program was, and waited for")
    func descendants() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(component: "done").path
        let outcome = try Self.exec(
            "sh", "-c", "(for turn in $(seq 50); do cat /dev/null; done; echo > \(file)) & exit 3")
        #expect(outcome.status == 3)
        let isDone = unsafe access(file, F_OK) == 0
        #expect(isDone)
    }

    @Test("SIGTERM does not wait for what a program that has ended left behind")
    func leftBehind() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(component: "process").path
        // Foundation waits for the end of whoever has a socket of its own, which the program inherits.
        let script = """
            for file in /proc/$$/fd/*; do [ ${file##*/} -le 2 ] || eval "exec ${file##*/}>&-"; done
            sleep 1000 >/dev/null 2>&1 & echo $! > \(file).new; mv \(file).new \(file); exit 5
            """
        let process = try EmuProcess(["exec", "--", "bash", "-c", script])
        var child: Int32 = 0
        #expect(
            eventually {
                child =
                    (try? String(contentsOfFile: file, encoding: .utf8)).flatMap { Int32($0.dropLast()) } ?? 0
                return child > 0
            })
        process.send(SIGTERM)
        #expect([5, 143].contains(process.finish().status))
        kill(child, SIGKILL)
    }

    @Test("the program's end is seen where emu was started with SIGCHLD ignored")
    func ignoredChildren() throws {
        let outcome = try EmuProcess(
            shell: #"exec env --ignore-signal=CHLD "$@""#, ["exec", "--", "sh", "-c", "exit 4"]
        ).finish()
        #expect(outcome.status == 4)
    }

    @Test(
        "a few descriptors are no reason to wait for each other: it starts, or says what is missing",
        arguments: [24, 40, 64])
    func fewDescriptors(limit: Int) throws {
        let outcome = try EmuProcess(
            shell: #"ulimit -n \#(limit); exec "$@""#,
            ["exec", "--device", "sim", "--device", "sim", "--", "sh", "-c", "exit 6"]
        ).finish()
        #expect(
            outcome.status == 6 || outcome.status == 2 && outcome.errorLines.count == 1, "\(outcome.errors)")
    }

    @Test("the file is a character device whose driver /proc/devices names, as DPDK asks for it")
    func node() throws {
        let outcome = try Self.exec(
            "sh", "-c", "stat -c '%F %t %T' /dev/vhost-vdpa-0; test -r /dev/vhost-vdpa-0 && cat /proc/devices"
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let words = lines[0].split(separator: " ")
        #expect(lines[0].hasPrefix("character special file ") && words.last == "0")
        let major = try #require(UInt32(words[words.count - 2], radix: 16))
        let named = try #require(lines.firstIndex(of: "\(major) vhost-vdpa"))
        let blocks = try #require(lines.firstIndex(of: "Block devices:"))
        #expect(named < blocks)
    }

    @Test("--wire capture:FILE has the frames of the device's wire, and stands at the wire of one device")
    func capture() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(component: "wire.pcapng").path
        let run = [
            Self.emu, "run", "--device", "/dev/vhost-vdpa-0", "--memory", "64M", "--packets", "1000",
            "--frame-size",
            "1000", "--cycles", "1", "--interval", "1ms",
        ]
        let outcome = try EmuProcess(["exec", "--wire", "capture:\(file)", "--"] + run).finish()
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int ?? 0
        #expect(size > 2 * 1000 * 1000)
        let two = try EmuProcess(
            ["exec", "--wire", "capture:\(file)", "--device", "sim", "--device", "sim", "--", "true"]
        ).finish()
        #expect(two.status == 2 && two.errorLines.count == 1 && two.errors.contains("with 2 devices"))
        let none = try EmuProcess(
            ["exec", "--wire", "none", "--device", "sim,profile=vdpasim-net", "--", "true"]
        ).finish()
        #expect(none.status == 2 && none.errors.contains("has no wire"))
    }
}
