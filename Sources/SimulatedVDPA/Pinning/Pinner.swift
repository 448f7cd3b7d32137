package import GuestMemory
package import SystemPackage

/// Who holds guest pages in memory for a device that uses physical addresses: the kernel's `pin_user_pages`.
///
/// The rule of vhost-vdpa is the pinner's: pages wanted plus pages pinned above RLIMIT_MEMLOCK is ENOMEM, before
/// anything is pinned, for root too. Called on the control thread.
package protocol Pinner: AnyObject {
    /// The pages of this process that are pinned, in total.
    var pinnedPages: Int { get }

    /// Pins `pages` pages from the page boundary `start`: ENOMEM over the limit, EFAULT where a page is not
    /// mapped or not writable although `access` has write. Nothing stays pinned on an error.
    func pin(start: HostAddress, pages: Int, access: MemoryAccess) throws(Errno)

    /// Lets go of `pages` pages that an earlier ``pin(start:pages:access:)`` took, or a part of them.
    func unpin(start: HostAddress, pages: Int)
}
