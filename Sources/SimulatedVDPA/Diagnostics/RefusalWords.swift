internal import LinuxHost
internal import SystemPackage

/// Why the simulated kernel refuses a map, and what to change, in words for whoever gets EFAULT.
enum RefusalWords {
    /// All entries of an address space are taken.
    static func entries(limit: Int, needed: Int) -> String {
        let more = needed > 1 ? ", and this map takes \(needed)" : ""
        return
            "IOTLB entries: an address space has room for \(limit) (entries=, the kernel's max_iotlb_entries)\(more):"
            + " raise entries=, or give the guest fewer regions of memory"
            + (needed > 1 ? " or longer runs (fragment=)" : "")
    }

    /// Pages could not be pinned. `isDevices` says that the limit is the device's own, not this process's.
    static func pinning(_ reason: PinRefusal.Reason, isDevices: Bool) -> String {
        switch reason {
        case .limit(let pages, let pinned, let wanted):
            let state = "\(bytes(pinned)) are pinned and this map takes \(bytes(wanted)) more"
            return isDevices
                ? "locked memory: the device's limit (memlock=) is \(bytes(pages)), \(state):"
                    + " raise memlock=, as memlock=unlimited does"
                : "locked memory: this process's limit (RLIMIT_MEMLOCK, which binds root too) is \(bytes(pages)),"
                    + " \(state): raise it with `ulimit -l unlimited` as root or"
                    + " `prlimit --memlock=unlimited emu …`, or add memlock=unlimited to the device"
        case .memory:
            return "the memory is not mapped in this process, or not with the permissions asked for"
        case .system(let words):
            return "the simulated kernel pins by io_uring, and that was refused: \(words)"
        }
    }

    private static func bytes(_ pages: Int) -> String {
        let count = UInt64(pages) * UInt64(HostPage.byteCount)
        return count < 1 << 20 ? "\(count) bytes" : "\(count) bytes (\(count >> 20) MiB)"
    }
}

/// Why a message is refused: the errno that EFAULT hides, and what is known beside it.
struct MessageRefusal: Error {
    let cause: Errno
    let words: String?

    init(_ cause: Errno, _ words: String? = nil) {
        self.cause = cause
        self.words = words
    }
}
