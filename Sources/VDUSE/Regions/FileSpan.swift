/// The whole pages of a file that hold a part of it: all that mmap(2) and munmap(2) take.
struct FileSpan: Equatable {
    /// Where the first page begins in the file.
    let offset: UInt64
    let byteCount: UInt64
    /// How far behind the beginning of the first page the part begins.
    let inset: UInt64

    /// The pages of `byteCount` bytes from `offset` on: both below 2⁶², and pages of a power of two, below that as well.
    init(offset: UInt64, byteCount: UInt64, pageByteCount: UInt64) {
        inset = offset & (pageByteCount - 1)
        self.offset = offset - inset
        self.byteCount = (inset + byteCount + pageByteCount - 1) & ~(pageByteCount - 1)
    }
}
