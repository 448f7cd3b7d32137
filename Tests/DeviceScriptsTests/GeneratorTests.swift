import GuestMemory
import Logging
import SimulatedConformance
import SimulatedVDPA
import SystemPackage
import TestSupport
import Testing
import VhostVDPA
import VhostVDPAConformance

@testable import DeviceScripts

@Suite("Scripts that are made up", .timeLimit(.minutes(15)))
struct GeneratorTests {
    private static let network = ScriptDeviceProfile.simulatorNetwork
    private static let pinning = {
        var profile = network
        profile.mapsVirtualAddresses = false
        return profile
    }()

    /// A simulated device, and the file that was opened last.
    private static func device(_ specification: String) throws -> DeviceOpener {
        try DeviceOpener.simulation(
            SimulatedDeviceSpecification(parsing: specification), logger: .quiet)
    }

    private static func target(_ opener: DeviceOpener) -> ScriptTarget {
        ScriptTarget(settle: opener.settle, callFromChild: opener.ioctlFromChild, open: opener.open)
    }

    @Test("are the same for the same seed and profile, and other ones for another seed")
    func seed() {
        let generator = ScriptGenerator(profile: Self.network)
        let scripts = (0..<20).map { generator.script(seed: $0, stepCount: 100) }
        #expect(scripts == (0..<20).map { generator.script(seed: $0, stepCount: 100) })
        #expect(Set(scripts).count == 20)
        #expect(scripts.allSatisfy { $0.lines.count >= 100 })
    }

    @Test("are read from their text as they are", arguments: [network, pinning])
    func text(profile: ScriptDeviceProfile) throws {
        let generator = ScriptGenerator(profile: profile)
        for seed in 0..<100 {
            let script = generator.script(seed: UInt64(seed), stepCount: 200)
            #expect(try DeviceScript(parsing: script.description) == script, "seed \(seed)")
        }
    }

    @Test(
        "keep their own rules, and one without its maps, its rings' contents or its waits does not",
        arguments: [network, pinning])
    func rules(profile: ScriptDeviceProfile) throws {
        let generator = ScriptGenerator(profile: profile)
        let scripts = (0..<60).map { generator.script(seed: UInt64($0), stepCount: 250) }
        #expect(scripts.allSatisfy(generator.permits))
        func without(_ isLeftOut: (ScriptStep) -> Bool) -> [DeviceScript] {
            scripts.map { DeviceScript(steps: $0.steps.filter { !isLeftOut($0) }) }
        }
        func refused(_ scripts: [DeviceScript]) -> Int { scripts.count { !generator.permits($0) } }
        #expect(refused(without { $0 == .settle }) > 40)
        #expect(refused(without { if case .store = $0 { true } else { false } }) > 30)
        #expect(
            refused(
                without {
                    if case .request(let request, _, _) = $0 {
                        request.kind?.name == "SET_VRING_NUM"
                    } else {
                        false
                    }
                }) > 30)
        // What has no memory of its own a device with virtual maps does not find; one that pins finds the machine's.
        let unmapped = without {
            if case .message(let message, _) = $0 { message.kind == .update } else { false }
        }
        #expect(profile.mapsVirtualAddresses ? refused(unmapped) < 10 : refused(unmapped) > 40)
    }

    @Test(
        "are for the profile that the device itself answers with",
        arguments: [
            ("sim,profile=vdpasim-net", true), ("sim,profile=vdpasim-net,use-va=off", false),
            ("sim,parent=vp-vdpa", false), ("sim,profile=qemu-net", false), ("sim,parent=vduse", true),
        ])
    func profile(specification: String, virtual: Bool) throws {
        let answers = try ScriptPlayer.play(
            DeviceScript(steps: ScriptDeviceProfile.questions), on: Self.target(Self.device(specification)))
        let profile = try #require(ScriptDeviceProfile(answers: answers.compactMap(\.self)))
        #expect(profile.mapsVirtualAddresses == virtual)
        #expect(profile.loopsFrames == specification.contains("vdpasim-net"))
        let isBehindVPVDPA = ["vp-vdpa", "qemu-net"].contains { specification.contains($0) }
        #expect(profile.sparesKernel == isBehindVPVDPA && profile.givesPositions == !isBehindVPVDPA)
        if specification == "sim,profile=vdpasim-net" {
            var expected = Self.network
            expected.address = profile.address
            #expect(profile == expected)
            #expect(profile.address.count == 6)
        }
    }

    @Test("ask every request in every state, and succeed often enough to get anywhere")
    func coverage() throws {
        let generator = ScriptGenerator(profile: Self.network)
        var coverage = ScriptCoverage()
        /// Used rings that were seen to have moved on, and eventfds that the device had signalled.
        var (moved, called) = (0, 0)
        let device = try Self.device("sim,profile=vdpasim-net")
        for seed in 0..<250 {
            let script = generator.script(seed: UInt64(seed), stepCount: 300)
            let answers = try ScriptPlayer.play(script, on: Self.target(device))
            coverage.note(script, answers)
            for (line, answer) in zip(script.lines, answers) {
                switch (line.step, answer) {
                case (.load(GeneratorRings.memory, GeneratorRings.used(0), _), .bytes(let bytes)):
                    if bytes[2] != 0 { moved += 1 }
                case (.take(let name), .number): if name.rawValue.hasPrefix("call") { called += 1 }
                default: break
                }
            }
        }
        if let failure = device.failure() { Issue.record("the device's worker ended: \(failure)") }
        let missing = coverage.neverAsked.filter { $0.call != "signal" && $0.call != "take" }
        #expect(missing.map { "\($0.call) (\($0.situation.rawValue))" } == [])
        #expect((40...90).contains(coverage.successShare), "\(coverage.successShare)%")
        #expect(moved > 100 && called > 100, "\(moved) times receive buffers used, \(called) calls")
    }

    @Test(
        "are answered alike by two devices of the same kind",
        arguments: [
            "sim,profile=vdpasim-net", "sim,profile=vdpasim-net,use-va=off",
            "sim,profile=vdpasim-net,kernel=7.2",
        ])
    func determinism(specification: String) throws {
        let devices = try (0..<2).map { _ in try Self.device(specification) }
        var profile = Self.network
        profile.mapsVirtualAddresses = !specification.contains("use-va=off")
        let generator = ScriptGenerator(profile: profile)
        for seed in 0..<70 {
            let script = generator.script(seed: UInt64(1000 + seed), stepCount: 150)
            let answers = try devices.map { try ScriptPlayer.play(script, on: Self.target($0)) }
            let differing = zip(answers[0], answers[1]).enumerated().filter { $0.element.0 != $0.element.1 }
            for (line, pair) in differing.prefix(1) {
                Issue.record(
                    "seed \(seed), line \(line + 1): \(script.lines[line]): \(String(describing: pair))")
            }
        }
    }

    /// The simulation knows what the device has: the generator has to foresee it from the steps alone.
    @Test(
        "never have a device look for its rings where an address is the machine's own",
        arguments: [
            "sim,profile=vdpasim-net,use-va=off", "sim,profile=vdpasim-net,parent=dma-map,use-va=off",
        ])
    func harm(specification: String) throws {
        let generator = ScriptGenerator(profile: Self.pinning)
        var looks = 0
        for seed in 0..<100 {
            let opener = try Self.device(specification)
            let script = generator.script(seed: UInt64(seed), stepCount: 250)
            let watch = RingWatch()
            try ScriptPlayer.play(script, on: Self.target(opener)) { line, answer in
                guard let step = script.lines[line].step else { return }
                if watch.mayLook(step), let interior = opener.interior?() {
                    looks += 1
                    for space in interior.device.prefix(1) where space.isIdentity {
                        Issue.record("seed \(seed), line \(line + 1): \(step), and address space 0 is 1:1")
                    }
                }
                watch.note(step, answer)
            }
        }
        #expect(looks > 100)
    }

    /// Which eventfds kick rings that a device runs, by the answers alone.
    private final class RingWatch {
        private var kicks: [VringIndex: ScriptName] = [:]
        private var enabled: Set<VringIndex> = []
        private var runs = false

        func mayLook(_ step: ScriptStep) -> Bool {
            guard runs, enabled.contains(0) || enabled.contains(1) else { return false }
            switch step {
            case .signal(let name, _): return kicks.contains { enabled.contains($0.key) && $0.value == name }
            case .request(let request, _, _): return request.kind?.name == "RESUME"
            default: return false
            }
        }

        func note(_ step: ScriptStep, _ answer: ScriptAnswer) {
            guard answer.isSuccess else { return }
            switch step {
            case .open, .close: (kicks, enabled, runs) = ([:], [], false)
            case .request(let request, _, _):
                switch (request.kind?.name, request.argument) {
                case ("SET_STATUS", .number(let status)):
                    runs = status & 4 != 0
                    if status == 0 { enabled = [] }
                case ("SET_VRING_ENABLE", .state(let index, let number)):
                    if number != 0 { enabled.insert(index) } else { enabled.remove(index) }
                case ("SET_VRING_KICK", .file(let index, .eventFD(let name))): kicks[index] = name
                case ("SET_VRING_KICK", .file(let index, .none)): kicks[index] = nil
                default: break
                }
            default: break
            }
        }
    }
}
