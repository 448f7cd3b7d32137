internal import DeviceScripts
internal import GuestMemory
internal import VhostVDPA

/// What a client has told a device of one queue.
struct WatchedQueue {
    /// How many descriptors; a reset leaves it.
    var size: UInt32?
    /// Where its ring is, since the last reset.
    var addresses: ScriptVringAddresses?
    /// Where it is to go on, since the last reset.
    var base: (value: UInt32, call: Int)?
    var isEnabled = false
    /// The call that enabled it, where its ring was not mapped then.
    var enabledUnmapped: (call: Int, detail: String)?
    /// The call by which it began to run, since the last reset.
    var startedAt: Int?
    /// Where it stood, as the device said since the last reset.
    var returned: UInt32?
    /// Where it stood when the device was reset last.
    var returnedBeforeReset: UInt32?

    /// What the device calls, since the file was opened.
    var hasCall = false
    /// Whether that has been said since the last reset.
    var callIsCurrent = false

    /// What the device is kicked by.
    var kick: ScriptName?
    /// Somebody has kicked while it did not run.
    var kickedBeforeStart = false
    /// Somebody has kicked since it runs.
    var kickedSinceStart = false

    /// What a reset leaves.
    mutating func reset() {
        let ran = startedAt != nil
        returnedBeforeReset = ran ? returned : returnedBeforeReset
        (addresses, base, isEnabled, startedAt, returned) = (nil, nil, false, nil, nil)
        enabledUnmapped = nil
        callIsCurrent = false
        if ran { kickedBeforeStart = false }
        kickedSinceStart = false
    }

    /// The areas of its ring, each with its name: as many bytes as virtio 1.2 gives them (2.7 for a split ring, 2.8 for a
    /// packed one); of a size that nobody has said, the first descriptor.
    func areas(isPacked: Bool) -> [(name: String, range: IOVARange)] {
        guard let addresses else { return [] }
        let size = UInt64(size ?? 1)
        let lengths: [(String, IOVirtualAddress, UInt64)] =
            isPacked
            ? [
                ("descriptor ring", addresses.descriptors, 16 * size),
                ("driver area", addresses.avail, 4), ("device area", addresses.used, 4),
            ]
            : [
                ("descriptor table", addresses.descriptors, 16 * size),
                ("avail ring", addresses.avail, 4 + 2 * size),
                ("used ring", addresses.used, 4 + 8 * size),
            ]
        return lengths.compactMap { name, first, count in
            IOVARange(first: first, byteCount: ByteCount(rawValue: max(count, 1))).map { (name, $0) }
        }
    }
}
