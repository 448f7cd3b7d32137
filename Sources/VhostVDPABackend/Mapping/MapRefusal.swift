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
    let host: HostMemory
    /// Whether the refusal came with the whole table, after the batch that built it.
    let isVerification: Bool

    /// The error for the caller.
    var backendError: BackendError {
        let subject =
            map.map { "the device refused memory \($0.section.title)" }
            ?? "the device refused a change of its maps"
        return BackendError(
            .mapRefused, "\(subject): \(error.call): \(describe(error.errno))\(causes)", deviceError: error)
    }

    private var causes: String {
        guard error.errno == .badAddress, map != nil else { return "" }
        var lines = [memlock, entries].compactMap { $0 }
        if isVerification {
            lines.append("the parent driver's set_map failed: its own message is in the kernel's log (dmesg)")
        }
        lines.append("the memory must be mapped in this process, with the permissions asked for")
        return ". The kernel hides the reason behind this number; look at: " + lines.joined(separator: "; ")
    }

    private var memlock: String? {
        guard let limit = host.memlockLimit() else { return nil }
        let pinned = host.pinned() ?? .zero
        let needed = totalByteCount.rawValue
        let state = "all guest memory takes \(bytes(needed)), \(bytes(pinned.rawValue)) are pinned"
        guard needed > limit.rawValue else {
            return "locked memory: \(state), the limit of \(bytes(limit.rawValue)) suffices for that alone"
        }
        return "locked memory: \(state), and the limit (RLIMIT_MEMLOCK, which binds root too) is"
            + " \(bytes(limit.rawValue)): raise it with `ulimit -l \((needed + 1023) >> 10)` as root, or"
            + " `prlimit --memlock=unlimited emu …`, or LimitMEMLOCK=infinity in a systemd unit"
    }

    private var entries: String? {
        guard let map else { return nil }
        let pages = map.byteCount.rawValue / host.pageSize.rawValue
        let limit = host.entryLimit() ?? 2048
        guard pages > UInt64(limit) else { return nil }
        return "IOTLB entries: a pinned mapping takes one per physically contiguous run, up to \(pages) here,"
            + " and the limit (max_iotlb_entries of vhost_vdpa and of the parent) is \(limit)"
            + "\(host.entryLimit() == nil ? " unless set otherwise" : ""): use huge pages, or raise it, as in"
            + " `modprobe vhost_vdpa max_iotlb_entries=\(pages)`, and vdpa_sim likewise where it is the parent"
    }

    private func bytes(_ count: UInt64) -> String { "\(count) bytes (\(count >> 20) MiB)" }
}
