package import GuestMemory
internal import LinuxHost
package import Logging

/// Who holds guest pages in memory for a device that uses physical addresses: the kernel's `pin_user_pages`.
///
/// The rule of vhost-vdpa is the pinner's: pages wanted plus pages pinned above RLIMIT_MEMLOCK is ENOMEM, before
/// anything is pinned, for root too. Called on the control thread.
package protocol Pinner: AnyObject {
    /// The pages of this process that are pinned, in total.
    var pinnedPages: Int { get }

    /// Takes what pinning needs, so that a machine that cannot pin says why when a device is made.
    func prepare() throws

    /// Pins `pages` pages from the page boundary `start`: ENOMEM over the limit, EFAULT where a page is not
    /// mapped or not writable although `access` has write. Nothing stays pinned on an error.
    ///
    /// `limit` is the most pages pinned in total; `nil` is RLIMIT_MEMLOCK. `logger` is the device's.
    func pin(
        start: HostAddress, pages: Int, access: MemoryAccess, limit: Int?, logger: Logger
    ) throws(PinRefusal)

    /// Lets go of `pages` pages that earlier pins took, all of a pin or a part of it. What cannot be let go yet is
    /// said to `logger`.
    func unpin(start: HostAddress, pages: Int, logger: Logger)
}

extension Pinner {
    /// Unpins the pages of entries that are gone, neighbours in memory together: a mapping of many runs goes as it came,
    /// at once.
    func unpin(_ entries: [TranslationEntry], logger: Logger) {
        var run: Range<UInt64>?
        func letGo() {
            guard let run else { return }
            unpin(
                start: HostAddress(rawValue: run.lowerBound), pages: run.count / HostPage.byteCount,
                logger: logger)
        }
        for entry in entries {
            let start = entry.host.rawValue
            let end = start + (entry.range.last.rawValue - entry.range.first.rawValue) + 1
            if let last = run, last.upperBound == start {
                run = last.lowerBound..<end
            } else {
                letGo()
                run = start..<end
            }
        }
        letGo()
    }
}
