import Testing
import VhostVDPA

@testable import DeviceScripts

/// What scripts that are made up leave out, told by their steps alone.
@Suite("Scripts that are made up: what they keep off")
struct GeneratorHarmTests {
    private static let network = ScriptDeviceProfile.simulatorNetwork
    /// QEMU's network card behind vp_vdpa.
    private static let card = {
        var profile = network
        profile.mapsVirtualAddresses = false
        profile.loopsFrames = false
        profile.sparesKernel = true
        profile.givesPositions = false
        profile.features = 0x103_30bf_8024
        return profile
    }()

    private static func scripts(_ profile: ScriptDeviceProfile) -> [DeviceScript] {
        let generator = ScriptGenerator(profile: profile)
        return (0..<150).map { generator.script(seed: UInt64($0), stepCount: 300) }
    }

    @Test("no device is to signal an eventfd whose counter is at its end", arguments: [network, card])
    func fullCalls(profile: ScriptDeviceProfile) {
        var fullKicks = 0
        for (seed, script) in Self.scripts(profile).enumerated() {
            var watch = CallWatch()
            for step in script.steps {
                watch.note(step)
                #expect(watch.fullCalls == [], "seed \(seed): \(step)")
            }
            fullKicks += watch.fullKicks
        }
        // A kick nobody adds to but the process.
        #expect(fullKicks > 10)
    }

    @Test("none of the calls that bring the kernel down behind vp_vdpa is made, unless that is asked for")
    func faults() {
        func seen(_ profile: ScriptDeviceProfile) -> [String: Int] {
            var seen: [String: Int] = [:]
            for script in Self.scripts(profile) {
                var watch = FaultWatch()
                for step in script.steps { watch.note(step) }
                seen.merge(watch.seen, uniquingKeysWith: +)
            }
            return seen
        }
        #expect(seen(Self.card) == [:])
        var daring = Self.card
        daring.sparesKernel = false
        let others = seen(daring)
        #expect(others.count == 3 && others.allSatisfy { $0.value > 10 }, "\(others)")
    }

    @Test("a device behind vp_vdpa runs all the same, often enough, with features that it refuses in between")
    func runs() {
        var (starts, refused) = (0, 0)
        for script in Self.scripts(Self.card) {
            for case .request(let request, _, _) in script.steps {
                switch (request.kind?.name, request.argument) {
                case ("SET_STATUS", .number(let status)): if status & 4 != 0 { starts += 1 }
                case ("SET_FEATURES", .number(let bits)): if bits & 1 << 33 == 0 { refused += 1 }
                default: break
                }
            }
        }
        #expect(
            starts > 300 && refused > 100, "\(starts) starts, \(refused) features without ACCESS_PLATFORM")
    }

    /// A ring of four for the first queue, and what the device needs to run.
    private static let ring = """
        memory rings 24K shared
        memory ram 8K shared
        eventfd kick
        open
        SET_OWNER
        store rings+0x800 bytes=000000000000000000000000
        SET_STATUS 0x3
        SET_FEATURES 0x300000000
        SET_STATUS 0xb
        SET_VRING_NUM index=0 num=4
        SET_VRING_ADDR index=0 desc=0x2000 avail=0x2800 used=0x2c00
        SET_VRING_KICK index=0 fd=kick

        """
    private static func map(_ iova: Int, _ place: String) -> String {
        "UPDATE iova=\(iova) size=0x1000 memory=\(place) access=rw\n"
    }
    private static let most = (0..<5).map { map(0x2000 + $0 * 0x1000, "rings+\($0 * 0x1000)") }.joined()
    private static let maps = most + map(0x7000, "rings+\(0x5000)")
    private static let elsewhere = map(0x10_0000, "ram+0x0")
    private static let enable = "SET_VRING_ENABLE index=0 num=1\n"
    private static let foreign = "SET_VRING_ADDR index=0 desc=0x8000 avail=0x8800 used=0x8c00\n"
    private static let unmap = "INVALIDATE iova=0x3000 size=0x1000\n"

    @Test(
        "no device behind vp_vdpa is to look for rings where nothing is mapped",
        arguments: [
            ([maps, enable], true), ([enable, maps], true), ([elsewhere], true),
            ([elsewhere, enable], false),
            ([most, enable], false), ([maps, enable, unmap], false), ([maps, foreign, enable], false),
            // Enabled once more a queue has the ring of that moment.
            ([maps, enable, foreign], true), ([maps, enable, foreign, enable], false),
        ] as [([String], Bool)])
    func unmappedRings(lines: [String], isPermitted: Bool) throws {
        for last in ["", "signal kick\nsettle\n"] {
            let start = lines.joined() + "SET_STATUS 0xf\nsettle\n"
            let script = try DeviceScript(parsing: Self.ring + start + last)
            #expect(ScriptGenerator(profile: Self.card).permits(script) == isPermitted, "\(last)")
        }
    }

    @Test("nobody kicks a device behind vp_vdpa before DRIVER_OK, by a signal or by an eventfd that has one")
    func earlyKicks() throws {
        let start = "SET_STATUS 0xf\nsettle\n"
        let kicks = ["signal kick\n", "eventfd early count=1\nSET_VRING_KICK index=1 fd=early\n"]
        for kick in kicks {
            for (text, isPermitted) in [(kick, false), (start + kick + "settle\n", true)] {
                let script = try DeviceScript(parsing: Self.ring + Self.maps + Self.enable + text)
                #expect(ScriptGenerator(profile: Self.card).permits(script) == isPermitted, "\(text)")
            }
        }
    }

    @Test("rings of a device that takes no positions begin at 0")
    func positions() {
        func bases(_ profile: ScriptDeviceProfile) -> Set<[UInt8]> {
            let rings = (0..<GeneratorRings.queueCount).map { GeneratorRings.avail($0) }
            var bases: Set<[UInt8]> = []
            for script in Self.scripts(profile) {
                for case .store(GeneratorRings.memory, let offset, let bytes) in script.steps
                where rings.contains(offset) && bytes.count > 4 {
                    bases.insert(Array(bytes[2..<4]))
                }
            }
            return bases
        }
        #expect(bases(Self.card) == [[0, 0]])
        #expect(bases(Self.network).count == 5)
    }

    @Test(
        "a script that does one of them keeps no rules of a device behind vp_vdpa",
        arguments: [
            "SET_VRING_CALL index=0 fd=one\nSET_VRING_CALL index=1 fd=one",
            "SET_FEATURES 0x100000000\nSET_STATUS 0xf",
            "SET_FEATURES 0x100000000\nSET_STATUS 0xb\nSET_FEATURES 0x300000000\nSET_STATUS 0xf",
            "child SET_FEATURES 0x100000000\nSET_STATUS 0x4",
            "UPDATE iova=0x100000 size=0x1000 memory=ram+0x0",
            "UPDATE iova=0x100000 size=0x1000 memory=ram+0x0 access=4", "map queue=3 length=4096",
            "map queue=65535 length=4096",
        ])
    func permits(text: String) throws {
        let script = try DeviceScript(
            parsing: "memory ram 4K shared\neventfd one\neventfd two\nopen\nSET_OWNER\n" + text)
        #expect(!ScriptGenerator(profile: Self.card).permits(script))
        #expect(ScriptGenerator(profile: Self.network).permits(script) || text.contains("0x100000000"))
    }

    @Test(
        "a script beside them keeps the rules",
        arguments: [
            "SET_VRING_CALL index=0 fd=one\nSET_VRING_CALL index=0 fd=none\nSET_VRING_CALL index=1 fd=one",
            "SET_VRING_CALL index=0 fd=one\nSET_VRING_CALL index=1 fd=two\nSET_CONFIG_CALL fd=one",
            "SET_FEATURES 0x100000000\nSET_STATUS 0x0\nSET_STATUS 0x4\nsettle",
            "SET_FEATURES 0x100000000\nSET_FEATURES 0x300000000\nSET_STATUS 0xf\nsettle\nSET_STATUS 0xf\nsettle",
            "UPDATE iova=0x100000 size=0x1000 memory=ram+0x0 access=ro",
        ])
    func keeps(text: String) throws {
        let script = try DeviceScript(
            parsing: "memory ram 4K shared\neventfd one\neventfd two\nopen\nSET_OWNER\n" + text)
        #expect(ScriptGenerator(profile: Self.card).permits(script))
    }
}

/// Of either profile.
private let queueCount: UInt32 = 3

/// Eventfds that are at the end of their counter and are a device's to signal.
private struct CallWatch {
    private var counters: [ScriptName: UInt64] = [:]
    private var calls: [String: ScriptName] = [:]
    private var kicks: [String: ScriptName] = [:]
    private(set) var fullKicks = 0

    var fullCalls: [ScriptName] { calls.values.filter { isFull($0) } }

    private func isFull(_ name: ScriptName) -> Bool { counters[name, default: 0] > 1 << 63 }

    mutating func note(_ step: ScriptStep) {
        switch step {
        case .open: (calls, kicks) = ([:], [:])
        case .eventFD(let name, let count): counters[name] = count
        case .signal(let name, let count):
            let (sum, overflows) = counters[name, default: 0].addingReportingOverflow(count)
            if !overflows, sum < .max { counters[name] = sum }
        case .take(let name): counters[name] = 0
        case .request(let request, _, .process):
            switch (request.kind?.name, request.argument) {
            case ("SET_VRING_CALL", .file(let index, let descriptor)):
                if index.rawValue < queueCount { bind(descriptor, "\(index)", \.calls) }
            case ("SET_CONFIG_CALL", .descriptor(let descriptor)): bind(descriptor, "configuration", \.calls)
            case ("SET_VRING_KICK", .file(let index, let descriptor)):
                if index.rawValue < queueCount { bind(descriptor, "\(index)", \.kicks) }
            default: break
            }
            fullKicks += kicks.values.count { isFull($0) }
        default: break
        }
    }

    private mutating func bind(
        _ descriptor: ScriptDescriptor, _ place: String, _ table: WritableKeyPath<Self, [String: ScriptName]>
    ) {
        switch descriptor {
        case .none: self[keyPath: table][place] = nil
        case .eventFD(let name): self[keyPath: table][place] = name
        case .closed, .nullDevice: break
        }
    }
}

/// The three faults of vp_vdpa, each as its row in docs/real-device.md has it.
private struct FaultWatch {
    private(set) var seen: [String: Int] = [:]
    private var calls: [VringIndex: ScriptName] = [:]
    private var isOwner = false
    private var lacksAccessPlatform = false

    mutating func note(_ step: ScriptStep) {
        switch step {
        case .open, .close: (calls, isOwner, lacksAccessPlatform) = ([:], false, false)
        case .message(let message, _):
            if message.kind == .update, message.access & 3 == 0 {
                seen["permits nothing", default: 0] += 1
            }
        case .request(let request, _, let caller):
            switch (request.kind?.name, request.argument) {
            case ("SET_OWNER", _): if caller == .process { isOwner = true }
            case ("SET_VRING_CALL", .file(let index, .eventFD(let name))):
                guard index.rawValue < queueCount, caller == .process, isOwner else { return }
                calls[index] = name
                if Set(calls.values).count < calls.count { seen["one call", default: 0] += 1 }
            case ("SET_VRING_CALL", .file(let index, .none)):
                if caller == .process { calls[index] = nil }
            case ("SET_FEATURES", .number(let bits)): lacksAccessPlatform = bits & 1 << 33 == 0
            case ("SET_STATUS", .number(0)): lacksAccessPlatform = false
            case ("SET_STATUS", .number(let status)):
                if status & 4 != 0, lacksAccessPlatform { seen["status", default: 0] += 1 }
            default: break
            }
        default: break
        }
    }
}
