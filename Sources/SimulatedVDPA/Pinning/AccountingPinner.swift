internal import Glibc
package import GuestMemory
internal import Synchronization
package import SystemPackage

/// A pinner that keeps the account and checks the memory, and pins nothing.
///
/// It gives every error that real pinning gives; only VmPin in `/proc/self/status` does not move.
package final class AccountingPinner: Pinner, Sendable {
    /// The account of this process: the memlock limit counts over all devices.
    package static let process = AccountingPinner()

    private let count = Mutex(0)
    private let limit: @Sendable () -> Int

    /// Makes an account with its own count; `limit` gives the highest number of pages, asked at every pin.
    package init(limit: @escaping @Sendable () -> Int = AccountingPinner.memlockPages) { self.limit = limit }

    package var pinnedPages: Int { count.withLock { $0 } }

    package func pin(start: HostAddress, pages: Int, access: MemoryAccess) throws(Errno) {
        let limit = limit()
        let (byteCount, overflow) = UInt64(pages).multipliedReportingOverflow(by: UInt64(PageSize.current))
        let (end, wraps) = start.rawValue.addingReportingOverflow(byteCount)
        try count.withLock { (count) throws(Errno) in
            guard pages <= limit, count <= limit - pages else { throw .noMemory }
            guard !overflow, !wraps else { throw .badAddress }
            let mappings = try ProcessMappings.current()
            let needsWrite = access.contains(.write)
            let pinnable = mappings.covers(from: start.rawValue, upTo: end) { area in
                needsWrite ? area.isWritable : area.isReadable
            }
            guard pinnable else { throw .badAddress }
            count += pages
        }
    }

    package func unpin(start: HostAddress, pages: Int) { count.withLock { $0 -= pages } }

    /// The soft RLIMIT_MEMLOCK in pages; no limit is `Int.max`.
    package static let memlockPages: @Sendable () -> Int = {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(8), &limit) == 0 else { return 0 }  // RLIMIT_MEMLOCK
        return Int(clamping: UInt64(limit.rlim_cur) / UInt64(PageSize.current))
    }
}
