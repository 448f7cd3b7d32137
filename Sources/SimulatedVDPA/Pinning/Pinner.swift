package import GuestMemory
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
