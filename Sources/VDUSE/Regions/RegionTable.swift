package import GuestMemory

/// The driver's memory as it is mapped here, in the order of addresses: what the data path translates through.
///
/// The kernel tells when what vhost-vdpa has mapped changes (VDUSE_UPDATE_IOTLB). What Linux's own driver allocates comes
/// without a word, and is there by the time the driver kicks: so the table is filled before a queue starts.
package struct RegionTable {
    package private(set) var regions: [MappedRegion] = []
    /// What this process cannot map, as of the last look: an access to it is a fault, and to everything else is not.
    package private(set) var unreachable: [UnreachableRegion] = []

    package init() {}

    /// For a translation table. The regions must outlive it.
    package var entries: [TranslationEntry] { regions.map(\.entry) }

    /// Maps what the kernel has and the table has not, and drops what the kernel has no more. What was mapped stays where
    /// it is. Returns what was dropped, which the data path may still use.
    ///
    /// - Throws: What the first call that fails does; the table is then as it was.
    package mutating func refresh(
        _ calls: borrowing some VDUSECalls & ~Copyable
    ) throws(VDUSEError) -> [MappedRegion] {
        var found: [MappedRegion] = []
        var leftOut: [UnreachableRegion] = []
        var next: IOVirtualAddress? = 0
        while let first = next, let region = try calls.region(from: first, known: regions) {
            switch region {
            case .mapped(let mapped): found.append(mapped)
            case .unreachable(let unreachable): leftOut.append(unreachable)
            }
            next = region.range.last.advanced(by: ByteCount(1))
        }
        let dropped = regions.filter { old in !found.contains { $0 === old } }
        regions = found
        unreachable = leftOut
        return dropped
    }

    /// Drops every region that has an address of `range`, and returns them: the data path may still use them.
    package mutating func remove(touching range: AddressRange<IOVirtualAddress>) -> [MappedRegion] {
        let dropped = regions.filter { $0.entry.range.overlaps(range) }
        regions.removeAll { $0.entry.range.overlaps(range) }
        return dropped
    }

    /// Drops everything, and returns it.
    package mutating func removeAll() -> [MappedRegion] {
        defer { regions = [] }
        return regions
    }

    /// The region that holds `address`.
    package func region(holding address: IOVirtualAddress) -> MappedRegion? {
        regions.first { $0.entry.range.contains(address) }
    }
}
