internal import VhostVDPA

/// What the kernel's text says of a sequence, kept in plain arrays: the errno of every step, vhost-vdpa's entries, the
/// device's, and the pages pinned.
///
/// It shares no code with the interval map or the simulation: every question is a walk over all entries.
struct SequenceOracle {
    typealias Entry = DeviceInterior.Entry

    let profile: MapProfile
    /// Where each kind of memory lies in the process.
    let memory: [SequenceOperation.Memory: UInt64]
    let pageSize: UInt64
    /// The page that page 0 of a sequence means.
    let origin: UInt64

    private(set) var device: [DeviceInterior.Space]
    private(set) var vhost: [UInt32: [Entry]] = [:]
    private(set) var groupSpace: UInt32 = 0
    /// Why the two views may differ: set by what parts them, cleared once they agree again.
    private(set) var difference: String?
    private var batch: UInt32?
    private var persists = false
    private var hasAddressSpaces = false
    private var isRunning = false

    init(
        profile: MapProfile, memory: [SequenceOperation.Memory: UInt64], pageSize: UInt64, origin: UInt64
    ) {
        self.profile = profile
        self.memory = memory
        self.pageSize = pageSize
        self.origin = origin
        device = []
        device = (0..<Int(profile.addressSpaceCount)).map(initialSpace)
    }

    /// What the device's answer to the step must be; `nil` is success.
    enum Answer: Equatable {
        case success, badAddress, invalidArgument, busy, notSupported
    }

    /// What all of it looks like from inside while the file is open.
    var interior: DeviceInterior {
        DeviceInterior(
            device: device, vhost: vhost, groupSpace: groupSpace, pinnedPages: pinnedPages, isOpen: true)
    }

    /// The pins: exactly the pages of vhost-vdpa's entries, or none.
    private var pinnedPages: Int {
        guard !profile.usesVirtualAddresses else { return 0 }
        return vhost.values.reduce(0) { sum, entries in
            entries.reduce(sum) { $0 + Int(($1.last - $1.first + 1) / pageSize) }
        }
    }

    mutating func perform(_ operation: SequenceOperation) -> Answer {
        let answer = answer(operation)
        let agree = device.indices.allSatisfy { device[$0].entries == vhost[UInt32($0)] ?? [] }
        if agree { difference = nil }
        return answer
    }

    private mutating func answer(_ operation: SequenceOperation) -> Answer {
        switch operation {
        case .update(let space, let page, let count, let offset, let access, let kind):
            return message(space, creates: true) { oracle, space in
                oracle.update(
                    space, first: (oracle.origin + page) * oracle.pageSize, bytes: count * oracle.pageSize,
                    host: (oracle.memory[kind] ?? 0) + offset * oracle.pageSize, access: access, kind)
            }
        case .invalidate(let space, let page, let count):
            let first = (origin + page) * pageSize
            return message(space, creates: false) { oracle, space in
                oracle.invalidate(space, first, first + count * oracle.pageSize - 1)
                return true
            }
        case .invalidateEverything(let space):
            return message(space, creates: false) { oracle, space in
                oracle.invalidate(space, 0, .max)
                return true
            }
        case .beginBatch(let space):
            return message(space, creates: true) { oracle, space in
                oracle.batch = space
                return true
            }
        case .endBatch(let space):
            return message(space, creates: false) { oracle, space in
                if oracle.batch != nil, oracle.profile.mapOperation == .setMap { oracle.setMap(space) }
                oracle.batch = nil
                return true
            }
        case .acknowledge(let persist, let addressSpaces):
            guard !persist || profile.offersPersistence else { return .notSupported }
            persists = persist
            hasAddressSpaces = addressSpaces
        case .reset: reset()
        case .start: isRunning = true
        case .suspend:
            guard profile.canSuspend || !profile.checksSuspendFirst else { return .notSupported }
            return profile.canSuspend || !isRunning ? .success : .notSupported
        case .setGroup(let space):
            guard space < profile.addressSpaceCount else { return .invalidArgument }
            guard !isRunning || !profile.refusesGroupChangeWhileRunning else { return .busy }
            guard profile.hasGroups else { return .notSupported }
            groupSpace = space
        case .reopen: reopen()
        }
        return .success
    }

    // MARK: messages

    /// The checks before a message is looked at: the space is made on demand, and stays although a batch refuses it.
    private mutating func message(
        _ asked: UInt32, creates: Bool, _ body: (inout SequenceOracle, UInt32) -> Bool
    ) -> Answer {
        let space = hasAddressSpaces ? asked : 0
        if vhost[space] == nil, creates {
            guard space < profile.addressSpaceCount else { return .badAddress }
            vhost[space] = []
        }
        guard batch == nil || batch == space, vhost[space] != nil else { return .badAddress }
        return body(&self, space) ? .success : .badAddress
    }

    private mutating func update(
        _ space: UInt32, first: UInt64, bytes: UInt64, host: UInt64, access: UInt8,
        _ kind: SequenceOperation.Memory
    ) -> Bool {
        let last = first + bytes - 1
        guard !(vhost[space] ?? []).contains(where: { $0.first <= last && first <= $0.last }) else {
            return false
        }
        if profile.usesVirtualAddresses {
            // Private memory is left out, with success.
            guard kind != .privateAnonymous else { return true }
            let allowed = kind == .readOnly ? access & 1 : access
            let isAdded = add(Entry(first: first, last: last, host: host, access: allowed), space)
            // What is unwound ends before it begins: nothing, or at IOVA 0 everything.
            if !isAdded { invalidate(space, first, first &- 1) }
            return isAdded
        }
        guard kind != .readOnly || access & 2 == 0 else { return false }
        let run = profile.fragmentPages.map { UInt64($0) * pageSize } ?? bytes
        var at = first
        while at <= last {
            let end = min(last, at + run - 1)
            guard add(Entry(first: at, last: end, host: host + (at - first), access: access), space) else {
                invalidate(space, first, last)
                return false
            }
            at = end + 1
        }
        return true
    }

    /// One entry in both views; neither has it where the limit refuses it.
    private mutating func add(_ entry: Entry, _ space: UInt32) -> Bool {
        if let limit = profile.entryLimit, (vhost[space] ?? []).count >= limit { return false }
        vhost[space] = ((vhost[space] ?? []) + [entry]).sorted { $0.first < $1.first }
        switch profile.mapOperation {
        case .setMap where batch != nil: difference = "a batch defers set_map"
        case .setMap: setMap(space)
        case .dmaMap:
            let entries = device[Int(space)].entries + [entry]
            device[Int(space)] = DeviceInterior.Space(
                entries: entries.sorted { $0.first < $1.first }, isIdentity: false)
        case .platform: device[Int(space)].entries = vhost[space] ?? []
        }
        return true
    }

    /// Whatever touches the range goes whole.
    private mutating func invalidate(_ space: UInt32, _ first: UInt64, _ last: UInt64) {
        drop(space, first, last)
        guard profile.mapOperation == .setMap else { return }
        if batch == nil { setMap(space) } else { difference = "a batch defers set_map" }
    }

    private mutating func drop(_ space: UInt32, _ first: UInt64, _ last: UInt64) {
        let gone = (vhost[space] ?? []).filter { $0.first <= last && first <= $0.last }
        vhost[space]?.removeAll { gone.contains($0) }
        guard profile.mapOperation != .setMap, !gone.isEmpty else { return }
        device[Int(space)].isIdentity = false
        device[Int(space)].entries.removeAll { entry in
            gone.contains { $0.first <= entry.last && entry.first <= $0.last }
        }
    }

    private mutating func setMap(_ space: UInt32) {
        device[Int(space)] = DeviceInterior.Space(entries: vhost[space] ?? [], isIdentity: false)
    }

    // MARK: reset and close

    private func initialSpace(_ space: Int) -> DeviceInterior.Space {
        DeviceInterior.Space(
            entries: [],
            isIdentity: profile.startsInIdentity && profile.mapOperation != .platform
                && (space == 0 || !profile.hasOneIdentity))
    }

    private mutating func reset() {
        isRunning = false
        groupSpace = 0
        guard !profile.keepsMaps(whenAcknowledged: persists) else { return }
        difference = "a reset takes the device's maps alone"
        for space in device.indices { device[space] = initialSpace(space) }
    }

    private mutating func reopen() {
        batch = nil
        reset()
        for space in vhost.keys {
            drop(space, 0, .max)
            if profile.hasResetMap { device[Int(space)] = initialSpace(Int(space)) }
        }
        vhost = [:]
        persists = false
        hasAddressSpaces = false
        // The open resets once more, without an acknowledgement, but never by compat_reset.
        if profile.wipesOnReset { for space in device.indices { device[space] = initialSpace(space) } }
        difference = "the device keeps what nobody takes from it at a close"
    }
}
