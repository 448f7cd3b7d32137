/// The way from one flat view to another, as a listener hears of it.
///
/// A section is unchanged where range, offset, backing, attributes and region all are; anything else is a
/// remove and an add. One merge of two sorted lists: O(m + n).
struct FlatViewChange {
    let removed: [MemorySection]
    /// Every section of the new view in order, and whether the old view had it too.
    let present: [(section: MemorySection, isKept: Bool)]

    init(from old: FlatView, to new: FlatView) {
        removed = Self.compare(old, with: new).filter { !$0.isKept }.map(\.section)
        present = Self.compare(new, with: old)
    }

    /// Every section of `view`, and whether `other` has the same one.
    private static func compare(
        _ view: FlatView, with other: FlatView
    ) -> [(section: MemorySection, isKept: Bool)] {
        var at = 0
        return view.sections.indices.map { index in
            let section = view.sections[index]
            while at < other.sections.count, other.sections[at].range.first < section.range.first { at += 1 }
            let isKept =
                at < other.sections.count && other.sections[at] == section
                && other.regionIDs[at] == view.regionIDs[index]
            return (section, isKept)
        }
    }

    /// Runs the whole transaction on `listener`, in the order of ``MemoryListener``.
    func apply(to listener: any MemoryListener) throws(MemoryListenerError) {
        listener.begin()
        for section in removed { listener.remove(section) }
        for (section, isKept) in present {
            if isKept { listener.keep(section) } else { listener.add(section) }
        }
        try listener.commit()
    }
}

extension FlatViewChange: CustomStringConvertible {
    /// The sections removed and added, the first few by name and range.
    var description: String {
        let parts =
            removed.map { "remove \($0.regionName) \($0.range)" }
            + present.filter { !$0.isKept }.map { "add \($0.section.regionName) \($0.section.range)" }
        let shown = parts.prefix(4).joined(separator: ", ")
        return parts.count > 4 ? "\(shown) and \(parts.count - 4) more" : shown
    }
}
