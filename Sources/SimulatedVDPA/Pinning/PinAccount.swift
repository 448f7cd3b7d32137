internal import Glibc
internal import GuestMemory
internal import LinuxHost
internal import SystemPackage

/// The account of pinned pages, and vhost-vdpa's checks before a pin (`vhost_vdpa_pa_map`).
struct PinAccount {
    /// The pages pinned.
    private(set) var pages = 0
    /// What memory the process has.
    var mappings: ProcessMappings.Source = ProcessMappings.current

    /// Adds `count` pages from `start`: ENOMEM where they and those pinned, `elsewhere` as well, are more than `limit`, then
    /// EFAULT where one is not mapped as `access` needs it.
    ///
    /// - Returns: whether all of them may be written.
    mutating func charge(
        start: HostAddress, count: Int, access: MemoryAccess, limit: Int, elsewhere: Int = 0
    ) throws(PinRefusal) -> Bool {
        guard count <= limit, pages + elsewhere <= limit - count else {
            throw PinRefusal(.noMemory, .limit(pages: limit, pinned: pages + elsewhere, wanted: count))
        }
        let (byteCount, overflow) = UInt64(count).multipliedReportingOverflow(by: UInt64(HostPage.byteCount))
        let (end, wraps) = start.rawValue.addingReportingOverflow(byteCount)
        guard !overflow, !wraps else { throw PinRefusal(.badAddress, .memory) }
        let mappings = try areas(start.rawValue..<end)
        let isWritable = mappings.covers(from: start.rawValue, upTo: end) { $0.isWritable }
        let mayBeRead = !access.contains(.write)
        guard
            isWritable || mayBeRead && mappings.covers(from: start.rawValue, upTo: end, where: \.isReadable)
        else { throw PinRefusal(.badAddress, .memory) }
        pages += count
        return isWritable
    }

    private func areas(_ range: Range<UInt64>) throws(PinRefusal) -> ProcessMappings {
        do throws(Errno) {
            return try mappings(range)
        } catch {
            throw PinRefusal(error, .system("this process's mappings cannot be read: \(error)"))
        }
    }

    /// Takes `count` pages off.
    mutating func discharge(count: Int) { pages -= count }

    /// The soft RLIMIT_MEMLOCK in pages; no limit is `Int.max`.
    static func memlockPages() -> Int {
        CallerProcess.this.memlockPages
    }
}
