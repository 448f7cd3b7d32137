/// Paints a tree of regions into a flat view, the winner of every overlap first, so that each region only
/// fills what is still free (the order of QEMU's `render_memory_region`, `system/memory.c`).
///
/// Positions are 128-bit: an alias may put its target's first byte below zero, and the end of the whole
/// space is one more than 64 bits hold. O(s) per painted run for s sections so far.
struct FlatViewRenderer {
    /// A half-open range of positions.
    private typealias Span = Range<Int128>

    /// A painted run: the piece of `region` that shows in `span`, whose first byte is `regionOffset` in it.
    private struct Piece {
        var span: Span
        let region: MemoryRegion
        let regionOffset: Int128
        let isReadOnly: Bool

        /// Whether `next` begins where this piece ends, in the address space and in the region.
        func isContinued(by next: Piece) -> Bool {
            span.upperBound == next.span.lowerBound && region === next.region
                && isReadOnly == next.isReadOnly
                && regionOffset + (span.upperBound - span.lowerBound) == next.regionOffset
        }
    }

    private static let wholeSpace: Span = 0..<(Int128(UInt64.max) + 1)

    /// Sorted by position, apart from each other.
    private var pieces: [Piece] = []

    /// The flat view of the space whose tree has `root` at its top, at address zero.
    static func render(_ root: MemoryRegion) -> FlatView {
        var renderer = FlatViewRenderer()
        renderer.paint(root, at: 0, clip: wholeSpace, isReadOnly: false)
        return renderer.view()
    }

    private mutating func paint(_ region: MemoryRegion, at start: Int128, clip: Span, isReadOnly: Bool) {
        guard region.isEnabled else { return }
        let end = start + (region.byteCount.map { Int128($0.rawValue) } ?? Self.wholeSpace.upperBound)
        let visible = clip.clamped(to: start..<end)
        guard !visible.isEmpty else { return }
        let isReadOnly = isReadOnly || region.isReadOnly
        if case .alias(let target, let offset) = region.kind {
            paint(target, at: start - Int128(offset), clip: visible, isReadOnly: isReadOnly)
            return
        }
        for child in region.subregions {
            paint(child.region, at: start + Int128(child.offset), clip: visible, isReadOnly: isReadOnly)
        }
        if case .container = region.kind { return }
        fill(visible, with: region, at: start, isReadOnly: isReadOnly)
    }

    /// Paints the parts of `span` that nothing has painted yet.
    private mutating func fill(_ span: Span, with region: MemoryRegion, at start: Int128, isReadOnly: Bool) {
        var next = span.lowerBound
        var index = pieces.partitioningIndex { $0.span.upperBound > next }
        while next < span.upperBound {
            let taken = index < pieces.count ? pieces[index].span : nil
            let end = min(span.upperBound, taken?.lowerBound ?? span.upperBound)
            if next < end {
                pieces.insert(
                    Piece(
                        span: next..<end, region: region, regionOffset: next - start, isReadOnly: isReadOnly),
                    at: index
                )
                index += 1
            }
            guard let taken else { return }
            next = taken.upperBound
            index += 1
        }
    }

    private func view() -> FlatView {
        var merged: [Piece] = []
        for piece in pieces {
            if let last = merged.last, last.isContinued(by: piece) {
                merged[merged.count - 1].span = last.span.lowerBound..<piece.span.upperBound
            } else {
                merged.append(piece)
            }
        }
        var sections: [MemorySection] = []
        var ids: [UInt64] = []
        var blocks: [RAMBlock] = []
        for piece in merged {
            guard let section = section(of: piece) else { continue }
            sections.append(section)
            ids.append(piece.region.id)
            if case .memory(let block) = piece.region.kind, !blocks.contains(where: { $0 === block }) {
                blocks.append(block)
            }
        }
        return FlatView(sections: sections, regionIDs: ids, blocks: blocks)
    }

    private func section(of piece: Piece) -> MemorySection? {
        let offset = ByteCount(rawValue: UInt64(piece.regionOffset))
        let backing: MemorySection.Backing
        if case .memory(let block) = piece.region.kind {
            guard let host = block.hostRange.first.advanced(by: offset) else { return nil }
            backing = .memory(host: host)
        } else {
            backing = .device
        }
        return AddressRange(
            first: GuestPhysicalAddress(rawValue: UInt64(piece.span.lowerBound)),
            last: GuestPhysicalAddress(rawValue: UInt64(piece.span.upperBound - 1))
        ).map {
            MemorySection(
                range: $0, regionName: piece.region.name, regionOffset: offset, backing: backing,
                isReadOnly: piece.isReadOnly
            )
        }
    }
}

extension Array {
    /// The index of the first element for which `belongsAfter` holds, as it then does for all that follow.
    fileprivate func partitioningIndex(where belongsAfter: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if belongsAfter(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
