internal import DeviceScripts
internal import GuestMemory
internal import VhostVDPA

/// A map that a client has made and not removed.
struct WatchedMap: Hashable {
    let range: IOVARange
    /// What it maps.
    let memory: ScriptPointer
    /// The call that made it.
    let call: Int
    /// The reset since which the device may have it no more.
    var lostAt: Int?
}

/// The maps of one address space, as vhost-vdpa keeps them: entries that never overlap.
struct WatchedMaps {
    private(set) var all: [WatchedMap] = []

    /// The map that has an address of `range`, if there is one.
    func first(touching range: IOVARange) -> WatchedMap? { all.first { $0.range.overlaps(range) } }

    /// Every map that INVALIDATE of `range` removes.
    func touched(by range: IOVARange) -> [WatchedMap] { all.filter { $0.range.overlaps(range) } }

    mutating func add(_ map: WatchedMap) {
        all.removeAll { $0.range.overlaps(map.range) }
        all.append(map)
    }

    mutating func remove(touching range: IOVARange) { all.removeAll { $0.range.overlaps(range) } }

    mutating func markLost(at call: Int) {
        for index in all.indices { all[index].lostAt = all[index].lostAt ?? call }
    }

    /// The first address of `range` that no map has.
    func gap(in range: IOVARange) -> IOVirtualAddress? {
        var next = range.first
        while let map = all.first(where: { $0.range.contains(next) }) {
            guard map.range.last < range.last else { return nil }
            next = IOVirtualAddress(rawValue: map.range.last.rawValue + 1)
        }
        return next
    }

    /// The map whose memory, in the client's own addresses, has `address`.
    func map(ofMemoryAt address: UInt64) -> WatchedMap? {
        all.first { map in
            guard case .number(let start) = map.memory, address >= start.rawValue else { return false }
            return address - start.rawValue <= map.range.last.rawValue - map.range.first.rawValue
        }
    }
}

/// How many maps there were, and of how many bytes.
struct MapVolume {
    private(set) var count = 0
    private(set) var byteCount = ByteCount.zero

    var isEmpty: Bool { count == 0 }

    mutating func add(_ maps: [WatchedMap]) {
        count += maps.count
        let (sum, wraps) = byteCount.rawValue.addingReportingOverflow(maps.byteCount.rawValue)
        byteCount = ByteCount(rawValue: wraps ? .max : sum)
    }
}

extension [WatchedMap] {
    /// How many bytes they map together, as far as a number goes.
    var byteCount: ByteCount {
        ByteCount(
            rawValue: reduce(0) { sum, map in
                let (more, wraps) = sum.addingReportingOverflow(map.range.byteCount?.rawValue ?? .max)
                return wraps ? .max : more
            })
    }
}
