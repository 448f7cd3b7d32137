package import GuestMemory
package import SystemPackage

/// The entries of one address space under the kernel's rules: an ``IOTLB`` with a limit and vhost's arithmetic.
///
/// vhost-vdpa keeps one per address space and an on-chip IOMMU another; they are never the same, and a reset
/// that takes one away leaves the other. Insertion and look-up are O(log n).
package struct EntryTable: Sendable {
    private var entriesByAddress = IOTLB()
    /// The most entries it takes, or `nil` for any number.
    package let limit: Int?

    package init(limit: Int?) { self.limit = limit }

    /// The entries, lowest address first, without overlap. O(n).
    package var entries: [TranslationEntry] { entriesByAddress.entries }
    package var count: Int { entriesByAddress.count }
    package var isEmpty: Bool { entriesByAddress.isEmpty }

    /// Adds `entry`: EEXIST where it overlaps another, ENOSPC above the limit.
    package mutating func insert(_ entry: TranslationEntry) throws(Errno) {
        guard !overlaps(entry.range) else { throw .fileExists }
        if let limit, count >= limit { throw .noSpace }
        do throws(IntervalOverlap<IOVirtualAddress>) {
            try entriesByAddress.insert(entry)
        } catch {
            throw .fileExists
        }
    }

    /// Whether any entry has an address of `range`.
    package func overlaps(_ range: AddressRange<IOVirtualAddress>) -> Bool {
        entriesByAddress.firstEntry(touching: range) != nil
    }

    /// Removes every entry that touches `first` to `last`, whole, and returns them. O(k + log n) for k entries.
    ///
    /// The bounds are what the kernel's arithmetic makes of a message, so `last` may lie below `first` (size 0)
    /// and an entry then goes if it holds both: the kernel's interval test, applied as it stands.
    @discardableResult
    package mutating func remove(touching first: UInt64, through last: UInt64) -> [TranslationEntry] {
        let start = IOVirtualAddress(rawValue: first)
        if let range = AddressRange(first: start, last: IOVirtualAddress(rawValue: last)) {
            return entriesByAddress.removeAll(touching: range)
        }
        guard let entry = entriesByAddress.entry(containing: start), entry.range.first.rawValue <= last else {
            return []
        }
        return entriesByAddress.removeAll(touching: entry.range)
    }

    /// Removes every entry.
    package mutating func removeAll() { entriesByAddress.removeAll() }
}
