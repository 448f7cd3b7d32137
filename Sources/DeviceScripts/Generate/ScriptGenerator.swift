internal import GuestMemory
internal import VhostVDPA

/// Makes scripts up: by grammar and by state, from a seed.
///
/// It foresees what the process and the device are after each step, does most often what makes sense next, and now and
/// then on purpose what does not. What it makes does no harm: no device that has lost its maps, or has none yet, is brought
/// to read or write memory that is not the script's, and what a look sees depends on no race: after everything that has the
/// device work, the script waits for it.
public struct ScriptGenerator: Hashable, Sendable {
    /// The device that the scripts are for.
    public let profile: ScriptDeviceProfile

    /// A generator for devices of a profile.
    public init(profile: ScriptDeviceProfile) { self.profile = profile }

    /// The script of a seed, of at least `stepCount` steps: the same for the same profile, whatever was made before.
    public func script(seed: UInt64, stepCount: Int) -> DeviceScript {
        var composer = ScriptComposer(profile, seed: seed)
        composer.begin()
        while composer.steps.count < stepCount { composer.goOn() }
        composer.end()
        return DeviceScript(steps: composer.steps)
    }

    /// Whether a script keeps the rules of those that are made up: it does no harm, and nothing in it is a race. One that is
    /// shortened may not.
    public func permits(_ script: DeviceScript) -> Bool {
        var model = GeneratorModel(profile)
        var isAtRest = true
        for step in script.steps {
            guard isAtRest || step == .settle, model.permits(step) else { return false }
            model.apply(step)
            isAtRest = !model.isWork(step)
        }
        return true
    }
}

/// A script that is being made up.
struct ScriptComposer {
    var dice: GeneratorDice
    var model: GeneratorModel
    private(set) var steps: [ScriptStep] = []
    private var memoryCount = 0
    let profile: ScriptDeviceProfile

    init(_ profile: ScriptDeviceProfile, seed: UInt64) {
        self.profile = profile
        dice = GeneratorDice(seed: seed)
        model = GeneratorModel(profile)
    }

    /// Adds a step, unless it might do harm, and has the device come to rest after what may have it work. Returns whether it
    /// was added.
    @discardableResult
    mutating func emit(_ step: ScriptStep) -> Bool {
        guard model.permits(step) else { return false }
        steps.append(step)
        model.apply(step)
        if model.isWork(step) { steps.append(.settle) }
        return true
    }

    // MARK: The whole

    var file: ScriptName { model.file ?? .device }

    mutating func begin() {
        emit(
            .memory(GeneratorRings.memory, byteCount: ByteCount(rawValue: GeneratorRings.byteCount), .shared))
        for _ in 0..<(1 + dice.below(2)) { makeMemory() }
        for name in Self.kickNames + Self.callNames { emit(.eventFD(name, initial: 0)) }
        if dice.chance(40) { emit(.eventFD("signalled", initial: UInt64(1 + dice.below(3)))) }
        if dice.chance(30) { emit(.eventFD("full", initial: .max - 1)) }
        emit(.open(file: .device))
    }

    /// What stays to be seen.
    mutating func end() {
        for _ in 0..<3 { look() }
        if model.file != nil { emit(.close(file: file)) }
        for name in Self.callNames { emit(.take(name)) }
    }

    static let kickNames: [ScriptName] = ["kick0", "kick1", "kick2"]
    static let callNames: [ScriptName] = ["call0", "call1", "call2", "changed"]

    /// Makes memory of a kind, sometimes with a hole or a part that permits less.
    @discardableResult
    mutating func makeMemory() -> ScriptName? {
        guard memoryCount < 12, let name = ScriptName(rawValue: "ram\(memoryCount)") else { return nil }
        memoryCount += 1
        let pages = 2 + dice.below(4)
        let kind = dice.pick(weighing: [(6, .shared), (2, .private), (2, ScriptMemoryKind.readOnly)])
        emit(.memory(name, byteCount: ByteCount(pages * ScriptMemory.pageByteCount), kind))
        if dice.chance(50) { changeMemory(name) }
        return name
    }

    /// Makes a hole in memory, or has a part of it permit something else.
    mutating func changeMemory(_ name: ScriptName) {
        guard let memory = model.memories[name] else { return }
        let page = dice.below(memory.pages.count)
        let offset = UInt64(page * ScriptMemory.pageByteCount)
        let size = ByteCount(ScriptMemory.pageByteCount)
        if dice.chance(60) || memory.pages[page] == .hole {
            emit(.unmap(name, offset: offset, byteCount: size))
        } else {
            let protections: [ScriptProtection] =
                memory.kind == .readOnly ? [.none, .read] : [.none, .read, .write]
            emit(.protect(name, offset: offset, byteCount: size, dice.pick(protections)))
        }
    }

    // MARK: What comes next

    /// Adds what comes next: a call, or a few that belong together.
    mutating func goOn() {
        guard model.file != nil else {
            emit(.open(file: dice.chance(80) ? .device : "second"))
            return
        }
        if dice.chance(model.owner == .process ? 30 : 60) { return strayCall() }
        if dice.chance(12) { return strayMessage() }
        if dice.chance(6) { return strayProcess() }
        switch model.owner {
        case .nobody: emit(request("SET_OWNER", .nothing, by: dice.chance(4) ? .child : .process))
        case .child: emit(.close(file: file))
        case .process: proceed()
        }
    }

    private enum Move {
        case negotiate, map, batch, prepareRing, status, start, post, kick, command, look, suspend, resume,
            reset, group
        case restart, close, unmap, reenable, mapAnew
    }

    /// What a driver or a VMM might do now.
    private mutating func proceed() {
        let runs = model.runs
        let isMapped = !model.maps.entries(0).isEmpty
        let hasRings = model.queues.prefix(2).contains { $0.place == .home }
        let move = dice.pick(weighing: [
            (model.backendFeatures.isEmpty ? 8 : 1, Move.negotiate),
            (isMapped ? 2 : 12, .map), (2, .batch), (3, .mapAnew), (2, .unmap),
            (model.hasFeatures ? 1 : 6, .status), (runs ? 1 : 4, .prepareRing),
            (runs ? 1 : 8, .start), (hasRings ? 10 : 0, .post), (hasRings ? 6 : 1, .kick),
            (hasRings ? 4 : 0, .command), (6, .look),
            (runs ? 3 : 1, .suspend), (model.isSuspended ? 5 : 1, .resume),
            (runs ? 3 : profile.sparesKernel && model.mayRefuseStatus ? 6 : 1, .reset),
            (2, .group), (runs ? 2 : 0, .restart), (1, .close), (runs ? 2 : 1, .reenable),
        ])
        switch move {
        case .negotiate: negotiate()
        case .map: mapRings(dice.chance(20) ? 1 : 0)
        case .batch: batch()
        case .mapAnew: mapMemory()
        case .unmap: unmapSomething()
        case .status: advanceStatus()
        case .prepareRing: prepareRing(dice.below(max(1, min(model.queues.count, GeneratorRings.queueCount))))
        case .start: start()
        case .post: postFrames()
        case .kick: kick()
        case .command: postCommand()
        case .look: look()
        case .suspend: emit(request("SUSPEND", .nothing))
        case .resume: emit(request("RESUME", .nothing))
        case .reset: setStatus(0)
        case .group: moveGroup()
        case .restart: restart()
        case .close: emit(.close(file: file))
        case .reenable: reenable()
        }
    }

    // MARK: Requests

    func request(
        _ name: String, _ argument: ScriptRequest.Argument, by caller: ScriptCaller = .process
    ) -> ScriptStep {
        .request(ScriptRequest(name, argument), file: file, by: caller)
    }

    mutating func setStatus(_ status: UInt8) { emit(request("SET_STATUS", .number(UInt64(status)))) }

    mutating func setState(_ name: String, _ queue: Int, _ number: UInt32) {
        emit(request(name, .state(index: VringIndex(rawValue: UInt32(queue)), number: number)))
    }

    private mutating func negotiate() {
        let offered = profile.backendFeatures
        let choice = dice.pick(weighing: [
            (6, offered), (3, offered & ~(1 << 8)), (2, offered & dice.bits()), (1, offered & 0xe), (1, 0),
        ])
        emit(request("SET_BACKEND_FEATURES", .number(choice)))
    }

    /// The features that a driver takes, with one of them left out or added now and then.
    mutating func setFeatures() {
        let base = profile.features & (1 << 32 | 1 << 33 | 1 << 17 | 1 << 23 | 1 << 5 | 1 << 16 | 1 << 3)
        let wanted = dice.pick(weighing: [
            (12, base), (2, profile.features), (1, base & ~(1 << 33)), (1, base & ~(1 << 32)),
            (1, base & ~(1 << 17)), (1, base | 1 << 34), (1, base | 1 << 28 | 1 << 29), (1, dice.bits()),
            (1, dice.bits() | 1 << 33), (1, 0),
        ])
        emit(request("SET_FEATURES", .number(wanted)))
    }

    private mutating func advanceStatus() {
        let status = model.status
        if status & 3 != 3 {
            setStatus(status | (dice.chance(60) ? 3 : 1))
        } else if status & 8 == 0 {
            setFeatures()
            if dice.chance(80) { setStatus(status | 8) }
        } else if dice.chance(30) {
            setStatus(status | 4)
        }
    }

    private mutating func moveGroup() {
        let group = dice.below(Int(max(1, profile.groupCount)))
        let space = dice.below(Int(max(1, profile.addressSpaceCount)))
        setState("SET_GROUP_ASID", group, UInt32(space))
        if space > 0, dice.chance(60) { mapRings(UInt32(space)) }
    }

    private mutating func reenable() {
        let queue = dice.below(max(1, model.queues.count))
        if dice.chance(60) { setState("SET_VRING_ENABLE", queue, 0) }
        if dice.chance(70) { setState("SET_VRING_ENABLE", queue, UInt32(1 + dice.below(2))) }
    }

    /// A stop and start as a VMM makes it, whole or with steps left out.
    private mutating func restart() {
        if dice.chance(50) { emit(request("SUSPEND", .nothing)) }
        if dice.chance(40) { kick() }
        for queue in 0..<min(2, model.queues.count) where dice.chance(75) {
            setState("GET_VRING_BASE", queue, 0)
        }
        if dice.chance(30) { emit(request("SET_BACKEND_FEATURES", .number(profile.backendFeatures))) }
        setStatus(0)
        if dice.chance(30) { mapRings(0) }
        start()
        if dice.chance(50) { postFrames(kicked: false) }
        if dice.chance(50) { emit(request("RESUME", .nothing)) }
    }
}
