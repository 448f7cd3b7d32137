import Glibc
import LinuxHost

/// Pages of this process for a test to map, unmapped when the object goes.
@safe
final class Memory {
    enum Kind {
        /// MAP_SHARED: what the kernel sees as a shared file, as a memfd is.
        case shared
        /// MAP_PRIVATE anonymous memory.
        case privateAnonymous
    }

    static let pageSize = HostPage.byteCount

    let address: UInt
    let byteCount: Int

    init(pages: Int, kind: Kind = .shared, protection: Int32 = PROT_READ | PROT_WRITE) {
        byteCount = pages * Self.pageSize
        let flags = MAP_ANONYMOUS | (kind == .shared ? MAP_SHARED : MAP_PRIVATE)
        let pointer = unsafe mmap(nil, byteCount, protection, flags, -1, 0)
        address = UInt(bitPattern: pointer)
    }

    deinit { unsafe munmap(UnsafeMutableRawPointer(bitPattern: address), byteCount) }

    /// Takes every right from the pages from `page` on. They stay this object's: a page that is unmapped could
    /// become another test's.
    func forbidPages(from page: Int) {
        let start = unsafe UnsafeMutableRawPointer(bitPattern: address + UInt(page * Self.pageSize))
        unsafe mprotect(start, byteCount - page * Self.pageSize, PROT_NONE)
    }
}
