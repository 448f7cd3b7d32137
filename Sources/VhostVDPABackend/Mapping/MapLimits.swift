internal import CLinux
internal import Glibc
package import GuestMemory
internal import LinuxHost
internal import SystemPackage

/// What this machine allows a process to map for a device, and what the process has used of it.
///
/// A value of closures, so that tests say what a machine allows instead of changing the one they run on.
package struct MapLimits {
    /// The size of a page, the unit of every map.
    package let pageSize: ByteCount
    /// The soft RLIMIT_MEMLOCK, or `nil` for no limit. Pinning counts against it, root's as well.
    package let memlockLimit: () -> ByteCount?
    /// The bytes this process has pinned (VmPin), or `nil` where the kernel does not say.
    package let pinned: () -> ByteCount?
    /// The shared mappings of this process in ascending order, adjacent ones merged, or `nil` if unknown.
    package let sharedMappings: () -> [AddressRange<HostAddress>]?
    /// The entries an address space can hold (module parameter max_iotlb_entries; the smaller one of vhost_vdpa
    /// and vdpa_sim), or `nil` if unknown.
    package let entryLimit: () -> Int?
    /// The number of the process that asks (getpid(2)): maps are of one process's memory. A child in a PID namespace of
    /// its own that has its parent's number there is not told from it; the kernel refuses its calls for the queues
    /// (EPERM, `vhost_dev_check_owner`), so that it cannot start the device.
    package let currentProcess: () -> Int32

    package init(
        pageSize: ByteCount, memlockLimit: @escaping () -> ByteCount?, pinned: @escaping () -> ByteCount?,
        sharedMappings: @escaping () -> [AddressRange<HostAddress>]?, entryLimit: @escaping () -> Int?,
        currentProcess: @escaping () -> Int32
    ) {
        self.pageSize = pageSize
        self.memlockLimit = memlockLimit
        self.pinned = pinned
        self.sharedMappings = sharedMappings
        self.entryLimit = entryLimit
        self.currentProcess = currentProcess
    }

    /// This machine and this process.
    package static func current() -> MapLimits {
        MapLimits(
            pageSize: ByteCount(HostPage.byteCount),
            memlockLimit: {
                let limit = clinux_memlock_limit()
                return limit == .max ? nil : ByteCount(rawValue: limit)
            },
            pinned: { ProcessStatus.pinnedBytes.map { ByteCount(rawValue: $0) } },
            sharedMappings: { KernelText.of("/proc/self/maps").map(sharedMappings(inMaps:)) },
            entryLimit: { KernelParameters.maximumIOTLBEntries },
            currentProcess: { getpid() })
    }

    /// The shared mappings of /proc/self/maps: lines of `first-end rwxs offset …`, in ascending order.
    static func sharedMappings(inMaps maps: String) -> [AddressRange<HostAddress>] {
        var ranges: [AddressRange<HostAddress>] = []
        for line in maps.split(separator: "\n") {
            let fields = line.split(separator: " ", maxSplits: 2)
            guard fields.count >= 2, fields[1].last == "s" else { continue }
            let ends = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            guard ends.count == 2, ends[1] > ends[0] else { continue }
            let first = HostAddress(rawValue: ends[0])
            let last = HostAddress(rawValue: ends[1] - 1)
            if let previous = ranges.last, previous.last.rawValue &+ 1 == first.rawValue {
                ranges.removeLast()
                AddressRange(first: previous.first, last: last).map { ranges.append($0) }
            } else {
                AddressRange(first: first, last: last).map { ranges.append($0) }
            }
        }
        return ranges
    }
}
