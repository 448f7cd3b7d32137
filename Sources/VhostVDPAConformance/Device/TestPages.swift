internal import Glibc
internal import LinuxHost
internal import SystemPackage

/// Pages of this process that a rule maps; unmapped when the object goes.
@safe
package final class TestPages {
    package enum Kind {
        /// MAP_SHARED, which the kernel backs with a file, as it does a memfd.
        case shared
        /// MAP_PRIVATE anonymous memory.
        case privateAnonymous
    }

    package static let pageSize = HostPage.byteCount

    package let address: UInt
    package let byteCount: Int

    package init(
        pages: Int, kind: Kind = .shared, isWritable: Bool = true
    ) throws(RuleInterruption) {
        byteCount = pages * Self.pageSize
        let flags = MAP_ANONYMOUS | MAP_NORESERVE | (kind == .shared ? MAP_SHARED : MAP_PRIVATE)
        let protection = isWritable ? PROT_READ | PROT_WRITE : PROT_READ
        let pointer = unsafe mmap(nil, byteCount, protection, flags, -1, 0)
        guard let pointer = unsafe pointer, unsafe pointer != MAP_FAILED else {
            throw CallerShortage.interruption("\(pages) pages of memory", Errno(rawValue: Glibc.errno))
        }
        address = UInt(bitPattern: pointer)
    }

    deinit { unsafe munmap(pointer(), byteCount) }

    /// The memory, valid while the object lives.
    func pointer(_ offset: Int = 0) -> UnsafeMutableRawPointer {
        guard let pointer = unsafe UnsafeMutableRawPointer(bitPattern: address + UInt(offset)) else {
            preconditionFailure("a page at 0")
        }
        return unsafe pointer
    }

    package func store(_ bytes: [UInt8], at offset: Int) {
        unsafe pointer(offset).copyMemory(from: bytes, byteCount: bytes.count)
    }

    package func byte(at offset: Int) -> UInt8 { unsafe pointer(offset).load(as: UInt8.self) }

    /// Takes every right from the pages from `page` on; they stay this object's.
    package func forbid(from page: Int) {
        unsafe mprotect(
            pointer(page * Self.pageSize), byteCount - page * Self.pageSize, PROT_NONE)
    }

    /// Makes the pages present, and keeps them where they are as far as a process can.
    func settle() {
        for offset in stride(from: 0, to: byteCount, by: Self.pageSize) { store([0], at: offset) }
        _ = unsafe mlock(pointer(), byteCount)
    }
}
