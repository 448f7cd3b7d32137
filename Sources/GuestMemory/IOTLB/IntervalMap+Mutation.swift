extension IntervalMap {
    /// Adds an entry. O(log n).
    ///
    /// - Throws: ``IntervalOverlap`` where any address of `range` is taken; the map is then unchanged.
    @inlinable
    public mutating func insert(
        _ value: Value, for range: AddressRange<Address>
    ) throws(IntervalOverlap<Address>) {
        if let existing = firstEntry(touching: range) {
            throw IntervalOverlap(requested: range, existing: existing.range)
        }
        let new = makeNode(range: range, value: value)
        let (below, above) = split(root) { $0.last < range.first }
        root = join(join(below, new), above)
    }

    /// Removes every entry that shares an address with `range`, whole, and returns them in order.
    /// O(k + log n) for k entries.
    @inlinable
    @discardableResult
    public mutating func removeAll(touching range: AddressRange<Address>) -> [Element] {
        let (below, rest) = split(root) { $0.last < range.first }
        let (touched, above) = split(rest) { $0.first <= range.last }
        root = join(below, above)
        var removed: [Element] = []
        var path: [Index] = []
        var index = touched
        while true {
            while index != Self.none {
                path.append(index)
                index = nodes[Int(index)].lower
            }
            guard let next = path.popLast() else { return removed }
            index = nodes[Int(next)].higher
            if let element = element(at: next) { removed.append(element) }
            values[Int(next)] = nil
            free.append(next)
        }
    }

    /// Removes every entry.
    @inlinable
    public mutating func removeAll() {
        nodes.removeAll()
        values.removeAll()
        free.removeAll()
        root = Self.none
    }

    @inlinable
    mutating func makeNode(range: AddressRange<Address>, value: Value) -> Index {
        // xorshift64: the priorities need only be unrelated to the order of the addresses.
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        let node = Node(
            range: range, lower: Self.none, higher: Self.none,
            priority: UInt32(truncatingIfNeeded: random >> 32)
        )
        if let slot = free.popLast() {
            nodes[Int(slot)] = node
            values[Int(slot)] = value
            return slot
        }
        nodes.append(node)
        values.append(value)
        return Index(nodes.count - 1)
    }

    /// Parts a tree into the entries that are `below` a border and the others; the order must agree with it.
    @inlinable
    mutating func split(
        _ tree: Index, where below: (AddressRange<Address>) -> Bool
    ) -> (below: Index, above: Index) {
        guard tree != Self.none else { return (Self.none, Self.none) }
        let at = Int(tree)
        if below(nodes[at].range) {
            let parts = split(nodes[at].higher, where: below)
            nodes[at].higher = parts.below
            return (tree, parts.above)
        }
        let parts = split(nodes[at].lower, where: below)
        nodes[at].lower = parts.above
        return (parts.below, tree)
    }

    /// Puts two trees together, every entry of the first below every entry of the second.
    @inlinable
    mutating func join(_ below: Index, _ above: Index) -> Index {
        guard below != Self.none else { return above }
        guard above != Self.none else { return below }
        if nodes[Int(below)].priority >= nodes[Int(above)].priority {
            nodes[Int(below)].higher = join(nodes[Int(below)].higher, above)
            return below
        }
        nodes[Int(above)].lower = join(below, nodes[Int(above)].lower)
        return above
    }
}
