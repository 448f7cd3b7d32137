/// Cutting a range around what is no longer wanted.
enum PinnedPieces {
    /// Below this a rest is not cut further: pinning two megabytes again costs less than the bookkeeping.
    private static let smallest: UInt64 = 2 << 20

    /// What is left of `range` without `hole`, which lies in it, as ranges in ascending order.
    ///
    /// The rest is cut at the middle, and at the middle of the half with the hole, and so on. Page by page, a
    /// range of n pages is then taken apart in O(n log n) pinned pages; cut only at the hole it would be O(n²).
    static func rest(of range: Range<UInt64>, without hole: Range<UInt64>, page: UInt64) -> [Range<UInt64>] {
        guard range.overlaps(hole) else { return range.isEmpty ? [] : [range] }
        if hole.lowerBound <= range.lowerBound, hole.upperBound >= range.upperBound { return [] }
        guard UInt64(range.count) > smallest else {
            let below = range.lowerBound..<max(range.lowerBound, hole.lowerBound)
            let above = min(range.upperBound, hole.upperBound)..<range.upperBound
            return [below, above].filter { !$0.isEmpty }
        }
        let middle = range.lowerBound + UInt64(range.count) / 2 / page * page
        return rest(of: range.lowerBound..<middle, without: hole, page: page)
            + rest(of: middle..<range.upperBound, without: hole, page: page)
    }
}
