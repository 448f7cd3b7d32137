internal import GuestMemory

/// One entry of vhost-vdpa's or of a device's.
struct GeneratorEntry: Hashable {
    let first: UInt64
    let last: UInt64
    /// The memory, and where in it the entry begins; `nil` for an address that is a number.
    let memory: ScriptName?
    let offset: UInt64
    let access: UInt8

    func touches(_ first: UInt64, _ last: UInt64) -> Bool { self.first <= last && first <= self.last }
}

/// The maps of a device of one kind, address space by address space.
///
/// A profile does not say which kind a device is. All of them are followed, and what is to be harmless must be so with each.
struct GeneratorDeviceMaps {
    enum Kind: Hashable {
        /// `set_map`: the whole table at once.
        case whole
        /// `dma_map`: entry by entry.
        case each
        /// The platform's IOMMU, which never lets through what is not mapped.
        case platform
    }

    struct Space {
        var entries: [GeneratorEntry] = []
        /// Nothing was ever mapped, or a reset has restored it: an address means what it is.
        var isIdentity: Bool
    }

    let kind: Kind
    /// A reset keeps the maps without IOTLB_PERSIST, too.
    let keepsOverReset: Bool
    private var spaces: [UInt32: Space] = [:]

    init(_ kind: Kind, keepsOverReset: Bool) {
        self.kind = kind
        self.keepsOverReset = keepsOverReset
    }

    /// Every kind that there is.
    static let all = [
        Self(.whole, keepsOverReset: false), Self(.whole, keepsOverReset: true),
        Self(.each, keepsOverReset: false), Self(.platform, keepsOverReset: true),
    ]

    subscript(space: UInt32) -> Space { spaces[space] ?? Space(isIdentity: kind != .platform) }

    /// vhost-vdpa's table has changed; `isBatched` says that `set_map` waits.
    mutating func change(
        _ space: UInt32, added: [GeneratorEntry], removed: [GeneratorEntry], table: [GeneratorEntry],
        isBatched: Bool
    ) {
        if kind == .whole {
            if !isBatched { replace(space, by: table) }
            return
        }
        guard !added.isEmpty || !removed.isEmpty else { return }
        var device = self[space]
        device.isIdentity = false
        device.entries.removeAll { entry in removed.contains(entry) }
        device.entries += added
        spaces[space] = device
    }

    /// A batch has ended.
    mutating func endBatch(_ space: UInt32, table: [GeneratorEntry]) {
        if kind == .whole { replace(space, by: table) }
    }

    private mutating func replace(_ space: UInt32, by table: [GeneratorEntry]) {
        spaces[space] = Space(entries: table, isIdentity: false)
    }

    mutating func reset(persists: Bool) {
        guard !persists, !keepsOverReset else { return }
        spaces = [:]
    }

    /// The file is closed, with the address spaces that it had.
    mutating func close() {
        guard kind != .whole || !keepsOverReset else { return }
        spaces = [:]
    }
}

/// vhost-vdpa's address spaces, and what each kind of device has of them.
struct GeneratorMaps {
    private(set) var spaces: [UInt32: [GeneratorEntry]] = [:]
    private(set) var batch: UInt32?
    private(set) var devices = GeneratorDeviceMaps.all

    /// Entries of an address space.
    func entries(_ space: UInt32) -> [GeneratorEntry] { spaces[space] ?? [] }

    /// Whether an entry touches the range.
    func overlaps(_ space: UInt32, _ first: UInt64, _ last: UInt64) -> Bool {
        entries(space).contains { $0.touches(first, last) }
    }

    /// `false` where the message fails whatever it asks for.
    mutating func enter(_ kind: ScriptMessage.Kind, _ space: UInt32, of count: UInt32) -> Bool {
        if kind == .update || kind == .batchBegin, spaces[space] == nil {
            guard space < count else { return false }
            spaces[space] = []
        }
        if let batch, batch != space { return false }
        return spaces[space] != nil
    }

    mutating func add(_ entries: [GeneratorEntry], to space: UInt32) {
        guard !entries.isEmpty else { return }
        spaces[space, default: []] += entries
        for index in devices.indices {
            devices[index].change(
                space, added: entries, removed: [], table: self.entries(space), isBatched: batch != nil)
        }
    }

    /// Every entry that touches the range goes whole; from 0 with size 0 it is everything.
    mutating func remove(_ space: UInt32, from iova: UInt64, size: UInt64) {
        let last = iova &+ size &- 1
        let removed = entries(space).filter { $0.touches(iova, last) }
        spaces[space, default: []].removeAll { $0.touches(iova, last) }
        for index in devices.indices {
            devices[index].change(
                space, added: [], removed: removed, table: entries(space), isBatched: batch != nil)
        }
    }

    mutating func beginBatch(_ space: UInt32) { batch = space }

    mutating func endBatch(_ space: UInt32) {
        if batch != nil {
            for index in devices.indices { devices[index].endBatch(space, table: entries(space)) }
        }
        batch = nil
    }

    mutating func reset(persists: Bool) {
        for index in devices.indices { devices[index].reset(persists: persists) }
    }

    mutating func close() {
        spaces = [:]
        batch = nil
        for index in devices.indices { devices[index].close() }
    }
}
