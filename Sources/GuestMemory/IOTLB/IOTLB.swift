/// The maps of one address space of a device, as the control side keeps them.
///
/// Entries never overlap and are removed whole, as vhost's are (`drivers/vhost/iotlb.c`). The costs are
/// ``IntervalMap``'s; the data path gets a ``TranslationTable`` made from ``entries``.
public struct IOTLB: Hashable, Sendable {
    @usableFromInline
    struct Target: Hashable, Sendable {
        @usableFromInline let host: HostAddress
        @usableFromInline let access: MemoryAccess

        @inlinable
        init(host: HostAddress, access: MemoryAccess) {
            self.host = host
            self.access = access
        }
    }

    @usableFromInline var map = IntervalMap<IOVirtualAddress, Target>()

    /// Makes an empty IOTLB.
    @inlinable
    public init() {}

    /// The number of entries. O(1).
    @inlinable
    public var count: Int { map.count }

    /// Whether nothing is mapped. O(1).
    @inlinable
    public var isEmpty: Bool { map.isEmpty }

    /// Every entry, in the order of addresses. O(n).
    public var entries: [TranslationEntry] { map.map(Self.entry(of:)) }

    /// Adds an entry, exactly as given: neighbours are not merged. O(log n).
    ///
    /// - Throws: ``IntervalOverlap`` where any address of the entry is mapped; nothing is changed then.
    @inlinable
    public mutating func insert(_ entry: TranslationEntry) throws(IntervalOverlap<IOVirtualAddress>) {
        try map.insert(Target(host: entry.host, access: entry.access), for: entry.range)
    }

    /// Removes every entry that shares an address with `range`, whole, and returns them in order: a range
    /// that only touches an entry takes all of it. O(k + log n) for k entries.
    @inlinable
    @discardableResult
    public mutating func removeAll(touching range: AddressRange<IOVirtualAddress>) -> [TranslationEntry] {
        map.removeAll(touching: range).map(Self.entry(of:))
    }

    /// Removes every entry.
    @inlinable
    public mutating func removeAll() { map.removeAll() }

    /// The entry that holds `address`, whatever it permits, or `nil`. O(log n).
    @inlinable
    public func entry(containing address: IOVirtualAddress) -> TranslationEntry? {
        map.entry(containing: address).map(Self.entry(of:))
    }

    /// The lowest entry that shares an address with `range`, or `nil`. O(log n).
    @inlinable
    public func firstEntry(touching range: AddressRange<IOVirtualAddress>) -> TranslationEntry? {
        map.firstEntry(touching: range).map(Self.entry(of:))
    }

    /// The host address behind `address`. O(log n).
    ///
    /// - Throws: ``TranslationFault`` with the address, where nothing is mapped or `access` is not permitted.
    @inlinable
    public func translate(
        _ address: IOVirtualAddress, access: MemoryAccess
    ) throws(TranslationFault) -> HostAddress {
        guard let entry = entry(containing: address), entry.access.isSuperset(of: access),
            let host = entry.host.advanced(
                by: ByteCount(rawValue: address.rawValue - entry.range.first.rawValue)
            )
        else { throw TranslationFault(address: address, access: access) }
        return host
    }

    @inlinable
    static func entry(of element: IntervalMap<IOVirtualAddress, Target>.Element) -> TranslationEntry {
        TranslationEntry(range: element.range, host: element.value.host, access: element.value.access)
    }

    /// Two IOTLBs are equal where they hold the same entries, however they came to. O(n).
    public static func == (left: Self, right: Self) -> Bool {
        left.count == right.count && zip(left.map, right.map).allSatisfy { $0 == $1 }
    }

    /// Hashes the entries in order. O(n).
    public func hash(into hasher: inout Hasher) { hasher.combine(entries) }
}
