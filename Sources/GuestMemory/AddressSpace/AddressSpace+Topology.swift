/// Changes of the tree. Each is a transaction of its own unless it runs inside one.
extension AddressSpace {
    /// Puts `region` at `offset` in `parent`, by default this space's root.
    ///
    /// Where regions overlap, the higher priority wins, and the later one among equals. What lies past the
    /// parent's end does not show.
    ///
    /// - Parameters:
    ///   - region: A region that is nowhere yet.
    ///   - parent: A container or any region but an alias, in this space's tree or to be added to it.
    ///   - offset: The offset in `parent` of the region's first byte.
    ///   - priority: Says that the region may overlap its siblings, and which of them it wins against.
    ///     Without one it has priority 0, and an overlap with a sibling of that kind is refused.
    /// - Throws: ``GuestMemoryError/Code/invalidTopology``, or what ``transaction(_:)`` throws.
    public func add(
        _ region: MemoryRegion, to parent: MemoryRegion? = nil, at offset: GuestPhysicalAddress,
        priority: Int? = nil
    ) throws(GuestMemoryError) {
        let parent = parent ?? root
        try transaction { () throws(GuestMemoryError) in
            try refuseUnlessFitting(region, in: parent, at: offset, mayOverlap: priority != nil)
            let subregion = MemoryRegion.Subregion(
                region: region, offset: offset.rawValue, priority: priority ?? 0, mayOverlap: priority != nil
            )
            let before = parent.subregions
            onUndo {
                parent.subregions = before
                region.parent = nil
            }
            let index = before.firstIndex { $0.priority <= subregion.priority } ?? before.count
            parent.subregions.insert(subregion, at: index)
            region.parent = parent
        }
    }

    /// Takes `region` out of its parent.
    ///
    /// - Throws: ``GuestMemoryError/Code/invalidTopology`` where it is in none, or what
    ///   ``transaction(_:)`` throws.
    public func remove(_ region: MemoryRegion) throws(GuestMemoryError) {
        try transaction { () throws(GuestMemoryError) in
            guard let parent = region.parent else {
                throw GuestMemoryError(
                    code: .invalidTopology,
                    context: "region \(region.name) cannot be removed: it is in no other region"
                )
            }
            let before = parent.subregions
            onUndo {
                parent.subregions = before
                region.parent = parent
            }
            parent.subregions.removeAll { $0.region === region }
            region.parent = nil
        }
    }

    /// Makes `region` and what is within it show, or not.
    ///
    /// - Throws: What ``transaction(_:)`` throws.
    public func setEnabled(_ isEnabled: Bool, for region: MemoryRegion) throws(GuestMemoryError) {
        try transaction { () throws(GuestMemoryError) in
            let before = region.isEnabled
            onUndo { region.isEnabled = before }
            region.isEnabled = isEnabled
        }
    }

    /// Write-protects `region` and what is within it, or not, as a chipset does with shadowed firmware.
    ///
    /// - Throws: What ``transaction(_:)`` throws.
    public func setReadOnly(_ isReadOnly: Bool, for region: MemoryRegion) throws(GuestMemoryError) {
        try transaction { () throws(GuestMemoryError) in
            let before = region.isReadOnly
            onUndo { region.isReadOnly = before }
            region.isReadOnly = isReadOnly
        }
    }

    private func refuseUnlessFitting(
        _ region: MemoryRegion, in parent: MemoryRegion, at offset: GuestPhysicalAddress, mayOverlap: Bool
    ) throws(GuestMemoryError) {
        func refusal(_ reason: String) -> GuestMemoryError {
            GuestMemoryError(
                code: .invalidTopology,
                context: "region \(region.name) cannot be put at \(offset) in \(parent.name): \(reason)"
            )
        }
        if let holder = region.parent { throw refusal("it is in \(holder.name); remove it there first") }
        if case .alias = parent.kind { throw refusal("an alias holds no regions; use what it shows") }
        if region.reaches(parent) { throw refusal("it would contain itself; choose another parent") }
        if region === root { throw refusal("it is the root of the address space") }
        if region.byteCount == .zero { throw refusal("it is empty; give it a size") }
        guard !mayOverlap, let range = region.range(at: offset.rawValue) else { return }
        for sibling in parent.subregions where !sibling.mayOverlap {
            if let taken = sibling.region.range(at: sibling.offset), taken.overlaps(range) {
                throw refusal(
                    "\(range) overlaps \(sibling.region.name) at \(taken); give it a priority or move it")
            }
        }
    }
}

extension MemoryRegion {
    /// The range the region has at `offset`, cut at the end of the 64-bit space.
    fileprivate func range(at offset: UInt64) -> AddressRange<GuestPhysicalAddress>? {
        let last = (byteCount?.rawValue).map { offset.addingReportingOverflow($0 - 1) }
        return AddressRange(
            first: GuestPhysicalAddress(rawValue: offset),
            last: GuestPhysicalAddress(rawValue: last.map { $0.overflow ? .max : $0.partialValue } ?? .max)
        )
    }
}
