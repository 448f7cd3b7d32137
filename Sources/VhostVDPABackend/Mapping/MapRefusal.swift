internal import GuestMemory
internal import SystemPackage
internal import VhostVDPA

/// Puts a refused map into words: the kernel answers EFAULT for nearly every reason (drivers/vhost/vdpa.c).
struct MapRefusal {
    let error: VhostVDPAError
    /// The map that was refused; `nil` for a message that carries none.
    let map: MemoryMap?
    /// All bytes that the device would have had.
    let totalByteCount: ByteCount
    /// The UPDATEs that they take, an entry each at the least.
    let updateCount: Int
    let limits: MapLimits
    /// Whether the refusal came with the whole table, after the batch that built it.
    let isVerification: Bool

    /// The error for the caller.
    var backendError: BackendError {
        let subject =
            map.map { "the device refused memory \($0.section.title)" }
            ?? "the device refused a change of its maps"
        return BackendError(
            .mapRefused, "\(subject): \(error)\(causes)", deviceError: error)
    }

    /// What the errno does not say. Where the device has given its reason (``VhostVDPAError/context``) nothing is guessed.
    private var causes: String {
        guard map != nil, error.context == nil else { return "" }
        switch error.errno {
        case .noMemory: return ". Look at: \(memlock ?? permissions)"
        case .noSpace: return ". \(entries(isCertain: true))"
        case .badAddress: break
        default: return ""
        }
        // What is beyond a limit comes first, then what may be.
        let limits =
            isBeyondEntries
            ? [entries(isCertain: true), memlock]
            : [memlock, mayTakeAllEntries ? entries(isCertain: false) : nil]
        let lines = limits.compactMap(\.self) + (isVerification ? [parent] : []) + [permissions]
        return ". The kernel hides the reason behind this number; look at: " + lines.joined(separator: "; ")
    }

    private let parent = "the parent driver's set_map failed: its own message is in the kernel's log (dmesg)"
    private let permissions = "the memory must be mapped in this process, with the permissions asked for"

    private var memlock: String? {
        guard let limit = limits.memlockLimit() else { return nil }
        let pinned = limits.pinned() ?? .zero
        let needed = totalByteCount.rawValue
        let state = "all guest memory takes \(bytes(needed)), \(bytes(pinned.rawValue)) are pinned"
        guard needed > limit.rawValue else {
            return "locked memory: \(state), the limit of \(bytes(limit.rawValue)) suffices for that alone"
        }
        return "locked memory: \(state), and the limit (RLIMIT_MEMLOCK, which binds root too) is"
            + " \(bytes(limit.rawValue)): raise it with `ulimit -l \((needed + 1023) >> 10)` as root, or"
            + " `prlimit --memlock=unlimited emu …`, or LimitMEMLOCK=infinity in a systemd unit"
    }

    private var entryLimit: Int { limits.entryLimit() ?? 2048 }

    /// Whether the regions alone are more than an address space has entries, however their memory lies.
    private var isBeyondEntries: Bool { updateCount > entryLimit }

    private var pages: UInt64 { (map?.byteCount.rawValue ?? 0) / limits.pageSize.rawValue }

    /// Whether the memory could be in so many runs.
    private var mayTakeAllEntries: Bool { pages + UInt64(updateCount) > UInt64(entryLimit) }

    private func entries(isCertain: Bool) -> String {
        let limit =
            "the limit (max_iotlb_entries of vhost_vdpa and of the parent) is \(entryLimit)"
            + (limits.entryLimit() == nil ? " unless set otherwise" : "")
        if isBeyondEntries {
            return
                "IOTLB entries: the guest's memory takes \(updateCount) maps, an entry each at the least, and \(limit):"
                + " give the guest fewer regions of memory, or raise it, as in"
                + " `modprobe vhost_vdpa max_iotlb_entries=\(updateCount * 2)`, and vdpa_sim likewise where it is the parent"
        }
        return "IOTLB entries: a pinned mapping takes one per physically contiguous run,"
            + " \(isCertain ? "" : "up to ")\(pages) here\(isCertain ? " at the most" : ""), and \(limit): use huge pages,"
            + " or raise it, as in `modprobe vhost_vdpa max_iotlb_entries=\(pages)`, and vdpa_sim likewise where it is the"
            + " parent"
    }

    private func bytes(_ count: UInt64) -> String { "\(count) bytes (\(count >> 20) MiB)" }
}
