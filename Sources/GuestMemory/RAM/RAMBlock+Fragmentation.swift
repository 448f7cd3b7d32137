import CLinux
import SystemPackage

extension RAMBlock {
    /// The pages of another file that are held beside the block's while they are touched: 64 MiB of them.
    private static let decoyByteCount = ByteCount.mebibytes(64)

    /// Makes every page of the block resident, each apart from the one before it in the machine's memory, as the
    /// memory of a machine that has run for long is.
    ///
    /// The kernel takes pages one by one from where free memory is contiguous, so a page of another file is touched
    /// after each of the block's. That file is given back piece by piece, in single pages, of which later ones are
    /// made. Nothing promises the result: whoever needs to know counts the runs. Costs two page faults a page, one
    /// thread, and 64 MiB more than the block for the time of the call.
    ///
    /// - Parameter isCancelled: Asked before every page; `true` ends it.
    /// - Throws: ``GuestMemoryError/Code/prefaultFailed``, also for a block of huge pages, which cannot lie apart, or
    ///   ``GuestMemoryError/Code/cancelled``.
    package func prefaultFragmented(isCancelled: () -> Bool = { false }) throws(GuestMemoryError) {
        guard pages == .base else {
            throw failure("huge pages are contiguous: leave them off", .invalidArgument)
        }
        var offset: UInt64 = 0
        do throws(SystemCallFailure) {
            let page = Self.hostPageSize
            let piece = min(byteCount, Self.decoyByteCount)
            while offset < byteCount.rawValue, !isCancelled() {
                let file = try MemoryFile.make(name: "decoy", byteCount: piece, hugePages: false)
                let decoy = try MemoryMapping(file, byteCount: piece, alignment: page, reserve: false)
                let end = min(byteCount.rawValue, offset + piece.rawValue)
                for place in stride(from: offset, to: end, by: Int(page.rawValue)) where !isCancelled() {
                    try unsafe Self.touch(base + Int(place), page)
                    try unsafe Self.touch(decoy.base + Int(place - offset), page)
                }
                offset = end
            }
        } catch {
            throw failure("\(error)", error.errno)
        }
        guard !isCancelled() else { throw cancellation(done: ByteCount(rawValue: offset)) }
    }

    private static func touch(_ address: UnsafeMutableRawPointer, _ page: ByteCount) throws(SystemCallFailure)
    {
        try SystemCallFailure.check(
            "madvise(MADV_POPULATE_WRITE)", unsafe clinux_populate_write(address, page.rawValue))
    }

    private func failure(_ reason: String, _ errno: Errno) -> GuestMemoryError {
        GuestMemoryError(
            code: .prefaultFailed,
            context: "RAM block \(name) of \(byteCount) cannot be made resident in single pages: \(reason)",
            errno: errno)
    }
}
