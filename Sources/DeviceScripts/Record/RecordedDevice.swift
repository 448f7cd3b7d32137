internal import GuestMemory
internal import VhostVDPA
internal import Virtio

/// What an open device has been told, as far as a recording has to know it: where its rings are, which of them run, and
/// what it reaches.
struct RecordedDevice {
    private struct Ring {
        var base: UInt32 = 0
        /// Where its avail and its used index stand.
        var indices: [IOVirtualAddress] = []
        var isEnabled = false
        /// Whether the device may have moved on from the base.
        var hasRun = false
    }
    private struct Map {
        let range: IOVARange
        let memory: ScriptName
        let offset: UInt64
    }
    /// A ring's index is to have a value.
    struct Index: Hashable {
        let memory: ScriptName
        let offset: UInt64
        let value: UInt16
    }

    private var status = DeviceStatus()
    private var features = VirtioFeatures()
    private var isSuspended = false
    private var rings: [VringIndex: Ring] = [:]
    private var maps: [AddressSpaceID: [Map]] = [:]
    /// Whether the device has asked for a reset, which a guest's rings may have brought about.
    private(set) var isBroken = false

    /// Whether a control queue may have been served: what it does to the device is no call.
    var hasServedCommands: Bool { runs && features.contains(.controlQueue) }

    private var runs: Bool { status.contains(.driverOK) }

    /// Whether the queue may stand elsewhere than where it was last put.
    func mayHaveMoved(_ index: VringIndex) -> Bool { rings[index]?.hasRun ?? false }

    // MARK: What was done

    /// Notes a request that succeeded.
    mutating func took(_ request: ScriptRequest, answer: ScriptAnswer) {
        switch (request.kind?.name, request.argument) {
        case ("SET_FEATURES", .number(let bits)): features = VirtioFeatures(low: bits)
        case ("SET_STATUS", .number(let bits)): setStatus(DeviceStatus(rawValue: UInt8(bits)))
        case ("GET_STATUS", _):
            if case .number(let bits) = answer, DeviceStatus(rawValue: UInt8(bits)).contains(.needsReset) {
                isBroken = true
            }
        case ("SET_VRING_BASE", .state(let index, let base)):
            rings[index, default: Ring()].base = base
            if !runs || isSuspended { rings[index]?.hasRun = false }
        case ("SET_VRING_ADDR", .addresses(let areas)):
            // Behind the flags of either ring (virtio 1.2, 2.7.6 and 2.7.8).
            rings[areas.index, default: Ring()].indices = [areas.avail, areas.used].map {
                IOVirtualAddress(rawValue: $0.rawValue &+ 2)
            }
        case ("SET_VRING_ENABLE", .state(let index, let number)):
            rings[index, default: Ring()].isEnabled = number == 1
            noteRunning()
        case ("SUSPEND", _): isSuspended = runs
        case ("RESUME", _):
            isSuspended = false
            noteRunning()
        default: break
        }
    }

    private mutating func setStatus(_ new: DeviceStatus) {
        status = new
        guard new.isEmpty else { return noteRunning() }
        isSuspended = false
        isBroken = false
        for index in rings.keys {
            rings[index]?.base = 0
            rings[index]?.isEnabled = false
            rings[index]?.hasRun = false
        }
    }

    private mutating func noteRunning() {
        guard runs, !isSuspended else { return }
        for index in rings.keys where rings[index]?.isEnabled == true { rings[index]?.hasRun = true }
    }

    /// Notes a message that was taken.
    mutating func took(_ message: ScriptMessage) {
        switch message.kind {
        case .update:
            guard let map = map(of: message) else { return }
            maps[message.addressSpace, default: []].append(map)
        case .invalidate:
            guard let range = range(of: message) else { return }
            maps[message.addressSpace]?.removeAll { $0.range.overlaps(range) }
        default: break
        }
    }

    private func map(of message: ScriptMessage) -> Map? {
        guard case .memory(let name, let offset) = message.memory, let range = range(of: message) else {
            return nil
        }
        return Map(range: range, memory: name, offset: offset)
    }

    private func range(of message: ScriptMessage) -> IOVARange? {
        let last = IOVirtualAddress(rawValue: message.iova.rawValue &+ message.size &- 1)
        return last < message.iova ? nil : IOVARange(first: message.iova, last: last)
    }

    // MARK: Quiet rings

    /// The indices that make rings empty at their bases before `request`, which has the device look at them.
    ///
    /// A packed ring of zeroes is empty at any position: neither flag of a descriptor differs from the other (virtio 1.2,
    /// 2.8.1).
    func quietIndices(before request: ScriptRequest) -> [Index] {
        switch (request.kind?.name, request.argument) {
        case ("SET_STATUS", .number(let bits)):
            guard DeviceStatus(rawValue: UInt8(bits)).contains(.driverOK), !runs else { return [] }
            return quietIndices { _, ring in ring.isEnabled }
        case ("SET_VRING_ENABLE", .state(let index, 1)) where runs:
            return quietIndices { other, _ in other == index }
        case ("RESUME", _): return quietIndices { _, ring in ring.isEnabled }
        default: return []
        }
    }

    /// The indices of rings that run and that `message` brings into the device's reach.
    func quietIndices(before message: ScriptMessage) -> [Index] {
        guard runs, message.kind == .update, let map = map(of: message) else { return [] }
        return quietIndices(in: [map]) { _, ring in ring.isEnabled }
    }

    private func quietIndices(in map: [Map]? = nil, of isMeant: (VringIndex, Ring) -> Bool) -> [Index] {
        guard !features.contains(.packedRing) else { return [] }
        // The same address may be other memory in each space, and which one a queue has depends on its group.
        let maps = map ?? maps.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap(\.value)
        return rings.sorted { $0.key < $1.key }.filter(isMeant).flatMap { _, ring in
            ring.indices.flatMap { address in
                maps.filter { $0.range.contains(address) }.map { map in
                    Index(
                        memory: map.memory,
                        offset: map.offset &+ (address.rawValue - map.range.first.rawValue),
                        value: UInt16(truncatingIfNeeded: ring.base))
                }
            }
        }
    }
}
