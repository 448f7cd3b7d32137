/// Values by range of addresses, where no two ranges overlap: the book that an IOTLB keeps.
///
/// A treap (a search tree that random priorities keep balanced) in flat arrays. With n entries, inserting
/// and looking up are O(log n) expected and removing the k entries that touch a range is O(k + log n).
/// Ranges have inclusive ends, so the whole 64-bit space is a range like any other. A value type, copied in
/// O(n) when a shared copy changes; not for a data path, which reads a ``TranslationTable``.
public struct IntervalMap<Address: MemoryAddress, Value> {
    /// One range and its value.
    public struct Element {
        /// The range, exactly as it was inserted.
        public let range: AddressRange<Address>
        /// Its value.
        public let value: Value

        /// Makes an element of its parts.
        @inlinable
        public init(range: AddressRange<Address>, value: Value) {
            self.range = range
            self.value = value
        }
    }

    /// The index of a node; `none` is a missing child.
    @usableFromInline typealias Index = Int32

    @usableFromInline
    struct Node {
        @usableFromInline var range: AddressRange<Address>
        @usableFromInline var lower: Index
        @usableFromInline var higher: Index
        @usableFromInline var priority: UInt32

        @inlinable
        init(range: AddressRange<Address>, lower: Index, higher: Index, priority: UInt32) {
            self.range = range
            self.lower = lower
            self.higher = higher
            self.priority = priority
        }
    }

    @inlinable static var none: Index { -1 }

    // Values stand apart so that a search walks small nodes; a free slot's value is nil and it is on `free`.
    @usableFromInline var nodes: ContiguousArray<Node> = []
    @usableFromInline var values: ContiguousArray<Value?> = []
    @usableFromInline var free: ContiguousArray<Index> = []
    @usableFromInline var root: Index
    @usableFromInline var random: UInt64 = 0x9e37_79b9_7f4a_7c15

    /// Makes an empty map.
    @inlinable
    public init() { root = Self.none }

    /// The number of entries. O(1).
    @inlinable
    public var count: Int { nodes.count - free.count }

    /// Whether there is no entry. O(1).
    @inlinable
    public var isEmpty: Bool { count == 0 }

    /// The entry that holds `address`, or `nil`. O(log n).
    @inlinable
    public func entry(containing address: Address) -> Element? {
        var index = root
        while index != Self.none {
            let node = nodes[Int(index)]
            if node.range.last < address {
                index = node.higher
            } else if address < node.range.first {
                index = node.lower
            } else {
                return element(at: index)
            }
        }
        return nil
    }

    /// The lowest entry that shares an address with `range`, or `nil`. O(log n).
    @inlinable
    public func firstEntry(touching range: AddressRange<Address>) -> Element? {
        var index = root
        var found = Self.none
        while index != Self.none {
            let node = nodes[Int(index)]
            if node.range.last < range.first {
                index = node.higher
            } else {
                if node.range.overlaps(range) { found = index }
                index = node.lower
            }
        }
        return found == Self.none ? nil : element(at: found)
    }

    @inlinable
    func element(at index: Index) -> Element? {
        guard let value = values[Int(index)] else { return nil }
        return Element(range: nodes[Int(index)].range, value: value)
    }
}

extension IntervalMap: Sendable where Value: Sendable {}
extension IntervalMap.Node: Sendable {}
extension IntervalMap.Element: Sendable where Value: Sendable {}
extension IntervalMap.Element: Equatable where Value: Equatable {}

extension IntervalMap {
    /// The length of the longest search, for a test that the tree is balanced. O(n).
    package var depth: Int {
        func depth(_ index: Index) -> Int {
            guard index != Self.none else { return 0 }
            return 1 + Swift.max(depth(nodes[Int(index)].lower), depth(nodes[Int(index)].higher))
        }
        return depth(root)
    }
}
