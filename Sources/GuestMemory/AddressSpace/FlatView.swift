/// What the guest finds in its physical address space: sorted sections that do not overlap.
///
/// Rendered from a tree of regions by priority and immutable, so any thread may use it. It keeps the RAM
/// blocks it names mapped for as long as it lives.
public struct FlatView: Sendable {
    /// The sections in the order of addresses, neighbours merged where one continues the other.
    public let sections: [MemorySection]
    /// For each section the id of its region, which tells apart what a section's name does not.
    let regionIDs: [UInt64]
    /// Kept so that no host address of a section outlives its memory.
    private let blocks: [RAMBlock]

    /// The view of an empty address space.
    public static let empty = FlatView(sections: [], regionIDs: [], blocks: [])

    init(sections: [MemorySection], regionIDs: [UInt64], blocks: [RAMBlock]) {
        self.sections = sections
        self.regionIDs = regionIDs
        self.blocks = blocks
    }

    /// The sections that are memory, RAM or ROM: what a vDPA device is given maps for.
    public var memorySections: [MemorySection] { sections.filter { $0.backing != .device } }

    /// The section that holds `address`, or `nil` in a hole. O(log n).
    public func section(containing address: GuestPhysicalAddress) -> MemorySection? {
        index(containing: address).map { sections[$0] }
    }

    /// The host memory behind `range`, or `nil` unless all of it is memory that permits `access` and is
    /// contiguous in the host; it may span sections. O(log n) and O(1) per section spanned.
    ///
    /// The addresses are good for as long as the view, or the RAM block, is held.
    public func hostRange(
        of range: AddressRange<GuestPhysicalAddress>, access: MemoryAccess
    ) -> AddressRange<HostAddress>? {
        guard var at = index(containing: range.first) else { return nil }
        var start: HostAddress?
        var next = range.first
        while true {
            let section = sections[at]
            guard !(section.isReadOnly && access.contains(.write)), let host = section.hostAddress(of: next),
                let first = start ?? Optional(host),
                host.rawValue &- first.rawValue == next.rawValue - range.first.rawValue
            else { return nil }
            start = first
            if range.last <= section.range.last {
                return range.byteCount.flatMap { AddressRange(first: first, byteCount: $0) }
            }
            at += 1
            guard at < sections.count, let following = section.range.last.advanced(by: ByteCount(1)) else {
                return nil
            }
            next = following
        }
    }

    /// One entry per memory section, I/O virtual equal to guest physical: what a device's IOTLB holds for
    /// this view when there is no virtual IOMMU, read-only where the section is.
    public var translationEntries: [TranslationEntry] {
        sections.compactMap { section in
            guard case .memory(let host) = section.backing,
                let range = AddressRange(
                    first: IOVirtualAddress(section.range.first), last: IOVirtualAddress(section.range.last)
                )
            else { return nil }
            return TranslationEntry(range: range, host: host, access: section.isReadOnly ? .read : .readWrite)
        }
    }

    private func index(containing address: GuestPhysicalAddress) -> Int? {
        var low = 0
        var high = sections.count
        while low < high {
            let middle = (low + high) / 2
            if sections[middle].range.last < address { low = middle + 1 } else { high = middle }
        }
        return low < sections.count && sections[low].range.contains(address) ? low : nil
    }
}
