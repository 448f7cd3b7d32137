internal import ClientRules
internal import DeviceScripts
internal import SimulatedVDPA
internal import SystemPackage

/// Sees what programs do to one device, and has it judged and written down. Supervisor's thread only.
struct ClientObserver {
    private var watch: ClientWatch?
    private let recorder: ScriptRecorder?
    private var recorded: RecordedFile?
    private var hasCalls = false
    private var owner: SimulatedCaller?
    /// The eventfds that queues are kicked by, with what was counted last: a kick itself is no call, and vhost never takes
    /// the counter back.
    private var kicks: [Int32: UInt64] = [:]

    /// An observer that judges where `judges` says so, and gives each call to `recorder` where there is one.
    init(judges: Bool, recorder: ScriptRecorder?) {
        watch = judges ? ClientWatch() : nil
        self.recorder = recorder
    }

    /// What was found; `nil` where nobody judges or nobody called.
    consuming func end() -> ClientReport? { hasCalls ? watch?.end() : nil }

    // MARK: Open and close

    /// A program has opened the device.
    mutating func opened(_ file: VhostVDPACharacterDevice) {
        hasCalls = true
        watch?.offered = file.offeredBackendFeatures
        watch?.range = file.iovaRange
        watch?.take(.open(file: .device), .ok)
        recorded = recorder?.record(file)
    }

    /// A program was refused the device.
    mutating func refused(_ error: Errno) {
        hasCalls = true
        watch?.take(.open(file: .device), .error(error))
        _ = try? recorder?.open { () throws(Errno) in throw error }
    }

    /// The last descriptor of the device is gone.
    mutating func closed() {
        // Whether there was a kick can be asked no more: for the rules there was one.
        for number in kicks.keys { watch?.take(.signal(Self.name(number), count: 1), .ok) }
        watch?.take(.close(file: .device), .ok)
        recorded?.close()
        (recorded, owner, kicks) = (nil, nil, [:])
    }

    // MARK: Calls

    /// An `ioctl(2)` of `caller` that `perform` makes.
    mutating func ioctl(
        _ request: UInt, _ argument: UInt, by caller: SimulatedCaller, _ perform: () throws(Errno) -> Int32
    ) throws(Errno) -> Int32 {
        guard watch != nil || recorded != nil else { return try perform() }
        let process = RecordedProcess(caller.process)
        recorder?.process = process
        let who = who(caller)
        if Self.startsOrStops(request) { countKicks(of: process) }
        let (result, call) = DecodedCall.ioctl(request, argument, of: process, by: who) { () throws(Errno) in
            guard let recorded else { return try perform() }
            return try recorded.record(request, argument, by: who, perform)
        }
        watch?.take(call.step, call.answer, by: who)
        if call.answer.isSuccess { note(call.step, by: caller, of: process) }
        return try result.get()
    }

    /// A `write(2)` of `caller` that `perform` makes.
    mutating func write(
        at address: UInt, byteCount: Int, by caller: SimulatedCaller, _ perform: () throws(Errno) -> Int
    ) throws(Errno) -> Int {
        guard watch != nil || recorded != nil else { return try perform() }
        let process = RecordedProcess(caller.process)
        recorder?.process = process
        let who = who(caller)
        let (result, call) = DecodedCall.write(at: address, byteCount: byteCount, of: process) {
            () throws(Errno) in
            guard who == .process, let recorded else { return try perform() }
            return try recorded.record(messageAt: address, byteCount: byteCount, perform)
        }
        watch?.take(call.step, call.answer, by: who)
        if who == .child { recorder?.comment("not recorded: a message of another process: \(call.step)") }
        return try result.get()
    }

    private func who(_ caller: SimulatedCaller) -> ScriptCaller {
        owner.map { $0 == caller } ?? true ? .process : .child
    }

    private mutating func note(_ step: ScriptStep, by caller: SimulatedCaller, of process: RecordedProcess) {
        guard case .request(let request, _, _) = step else { return }
        switch (request.kind?.name, request.argument) {
        case ("SET_OWNER", _): owner = caller
        case ("SET_VRING_KICK", .file(_, .eventFD(let name))):
            guard let number = Int32(name.rawValue.dropFirst(2)) else { return }
            kicks[number] = process.eventCount(number)
        default: break
        }
    }

    /// Whether a queue may begin or end to run by the request, so that it matters what was kicked before.
    private static func startsOrStops(_ request: UInt) -> Bool {
        guard let name = ScriptRequestKind.numbered(request)?.name else { return false }
        return ["SET_STATUS", "SET_VRING_ENABLE", "SET_VRING_KICK", "SUSPEND", "RESUME"].contains(name)
    }

    /// Tells of the kicks that there were since the call before.
    private mutating func countKicks(of process: RecordedProcess) {
        for (number, count) in kicks {
            let now = process.eventCount(number)
            guard now != count else { continue }
            watch?.take(.signal(Self.name(number), count: (now ?? count) &- count), .ok)
            kicks[number] = now
        }
    }

    private static func name(_ number: Int32) -> ScriptName { ScriptName(stringLiteral: "fd\(number)") }
}

extension RecordedProcess {
    /// As much as a call of another process is looked at for.
    private static let limit = 1 << 20

    fileprivate init(_ process: CallerProcess) {
        self.init(folder: process.folder) { count, address in
            guard count > 0, count <= Self.limit else { return [] }
            return (try? process.copy(at: address, count: count)) ?? []
        }
    }
}
