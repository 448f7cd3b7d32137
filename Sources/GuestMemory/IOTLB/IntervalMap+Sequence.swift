extension IntervalMap: Sequence {
    /// Walks a map in the order of addresses. O(n) for all of it, O(log n) memory.
    public struct Iterator: IteratorProtocol {
        @usableFromInline let map: IntervalMap
        @usableFromInline var path: [Index] = []

        @inlinable
        init(_ map: IntervalMap) {
            self.map = map
            descend(from: map.root)
        }

        @inlinable
        mutating func descend(from start: Index) {
            var index = start
            while index != IntervalMap.none {
                path.append(index)
                index = map.nodes[Int(index)].lower
            }
        }

        /// The next entry, or `nil` after the last.
        @inlinable
        public mutating func next() -> Element? {
            guard let index = path.popLast() else { return nil }
            descend(from: map.nodes[Int(index)].higher)
            return map.element(at: index)
        }
    }

    /// Starts a walk over the map as it is now.
    @inlinable
    public func makeIterator() -> Iterator { Iterator(self) }

    /// The exact count, so that collecting the entries allocates once.
    @inlinable
    public var underestimatedCount: Int { count }
}
