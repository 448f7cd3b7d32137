internal import Glibc
package import SystemPackage

/// The whole pages of a file that hold a part of it: all that mmap(2) and munmap(2) take.
package struct FileSpan: Equatable {
    /// Where the first page begins in the file.
    package let offset: UInt64
    package let byteCount: UInt64
    /// How far behind the beginning of the first page the part begins.
    package let inset: UInt64
    /// The length of one page.
    package let pageByteCount: UInt64

    /// The pages of `file` that hold `byteCount` bytes from `offset` on, both below 2⁶²: this machine's, or the huge ones of
    /// hugetlbfs, which are its blocks.
    package init(of file: FileDescriptor, offset: UInt64, byteCount: UInt64) {
        var status = stat()
        let page = UInt64(HostPage.byteCount)
        let block = unsafe fstat(file.rawValue, &status) == 0 ? UInt64(exactly: status.st_blksize) ?? 0 : 0
        self.init(
            offset: offset, byteCount: byteCount,
            pageByteCount: block > page && block.nonzeroBitCount == 1 ? block : page)
    }

    /// The pages of `byteCount` bytes from `offset` on: both below 2⁶², and pages of a power of two, below that as well.
    package init(offset: UInt64, byteCount: UInt64, pageByteCount: UInt64) {
        self.pageByteCount = pageByteCount
        inset = offset & (pageByteCount - 1)
        self.offset = offset - inset
        self.byteCount = (inset + byteCount + pageByteCount - 1) & ~(pageByteCount - 1)
    }
}
