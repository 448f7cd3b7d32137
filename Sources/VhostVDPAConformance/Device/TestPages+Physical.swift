internal import SystemPackage

/// Where pages are in the machine's memory (Documentation/admin-guide/mm/pagemap.rst). Root only.
extension TestPages {
    /// Pages of which the one at `first` and the next one follow each other in the machine's memory, too.
    ///
    /// Where memory is scattered hardly any do, so more and more are asked for; those looked at are kept meanwhile, as
    /// what is given back is what comes next.
    static func withNeighbours() throws(RuleInterruption) -> (pages: TestPages, first: Int) {
        var kept: [TestPages] = []
        for count in [1 << 8, 1 << 11, 1 << 14] {
            let pages = try TestPages(pages: count)
            pages.settle()
            if let first = try pages.firstNeighbours() { return (pages, first) }
            kept.append(pages)
        }
        throw .notApplicable(reason: "no two physically contiguous pages were found")
    }

    /// Where the first page is; `nil` without privilege.
    func physicalAddress() throws(RuleInterruption) -> UInt64? {
        try frames(of: 1).first.flatMap { $0 > 0 ? $0 * UInt64(Self.pageSize) : nil }
    }

    private func firstNeighbours() throws(RuleInterruption) -> Int? {
        let frames = try frames(of: byteCount / Self.pageSize)
        return frames.indices.dropLast().first { frames[$0] > 0 && frames[$0] + 1 == frames[$0 + 1] }
    }

    /// The page frame number of each of the first `count` pages, 0 where there is none or the kernel does not tell.
    private func frames(of count: Int) throws(RuleInterruption) -> [UInt64] {
        var entries = [UInt64](repeating: 0, count: count)
        let file: FileDescriptor
        do {
            file = try FileDescriptor.open(
                FilePath("/proc/self/pagemap"), .readOnly, retryOnInterrupt: false)
        } catch {
            if let error = error as? Errno { try requireAnswer("/proc/self/pagemap", error) }
            return entries
        }
        defer { try? file.close() }
        let read = unsafe entries.withUnsafeMutableBytes { buffer in
            try? unsafe file.read(
                fromAbsoluteOffset: Int64(address / UInt(Self.pageSize) * 8), into: buffer,
                retryOnInterrupt: false)
        }
        guard read == count * 8 else { return [] }
        return entries.map { $0 >> 63 == 1 ? $0 & (1 << 55 - 1) : 0 }
    }
}
