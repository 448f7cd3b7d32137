package import GuestMemory
package import SystemPackage
internal import VirtioNet

/// The IOMMU: one table per address space, and the data path kept in step with it.
extension SimulatedParent {
    package func setMap(_ entries: [TranslationEntry], addressSpace: UInt32) throws(Errno) {
        let space = try index(ofAddressSpace: addressSpace)
        faults.delay()
        defer { installTranslation(ofAddressSpace: space) }
        do throws(Errno) {
            try faults.checkSetMap(count: entries.count)
            try addressSpaces[space].replace(with: entries)
        } catch {
            addressSpaces[space].reset(toIdentity: false)
            throw error
        }
    }

    package func map(_ entry: TranslationEntry, addressSpace: UInt32) throws(Errno) {
        let space = try index(ofAddressSpace: addressSpace)
        staleAddressSpaces.insert(space)
        try faults.checkMap(standing: addressSpaces[space].table.count)
        try addressSpaces[space].insert(entry)
    }

    package func unmap(_ range: AddressRange<IOVirtualAddress>, addressSpace: UInt32) {
        guard let space = try? index(ofAddressSpace: addressSpace) else { return }
        addressSpaces[space].remove(range)
        staleAddressSpaces.insert(space)
    }

    package func applyMaps() {
        guard !staleAddressSpaces.isEmpty else { return }
        faults.delay()
        for space in staleAddressSpaces.sorted() { installTranslation(ofAddressSpace: space) }
    }

    package func resetMap(addressSpace: UInt32) throws(Errno) {
        restoreInitialState(ofAddressSpace: try index(ofAddressSpace: addressSpace))
    }

    package func setGroup(_ group: UInt32, addressSpace: UInt32) throws(Errno) {
        guard Int(group) < groupAddressSpaces.count else { throw .invalidArgument }
        let space = try index(ofAddressSpace: addressSpace)
        guard groupAddressSpaces[Int(group)] != addressSpace else { return }
        groupAddressSpaces[Int(group)] = addressSpace
        installTranslation(ofAddressSpace: space)
    }

    /// Everything the device's IOMMU holds goes; what vhost-vdpa believes stays.
    func loseMaps() {
        platformIOMMU?.domain?.loseEverything()
        for space in addressSpaces.indices { restoreInitialState(ofAddressSpace: space) }
        applyMaps()
    }

    private func restoreInitialState(ofAddressSpace space: Int) {
        let identity = behaviour.startsInIdentity
        guard !addressSpaces[space].table.isEmpty || addressSpaces[space].isIdentity != identity else {
            return
        }
        addressSpaces[space].reset(toIdentity: identity)
        installTranslation(ofAddressSpace: space)
    }

    /// Gives the queues of a space what it translates to.
    func installTranslation(ofAddressSpace space: Int) {
        staleAddressSpaces.remove(space)
        memory.install(translation(ofAddressSpace: space), addressSpace: space) { entries in
            for (group, used) in groupAddressSpaces.enumerated() where Int(used) == space {
                for run in queueRuns(ofGroup: group) { dataPath.setTranslation(entries, queues: run) }
            }
        }
    }

    /// The queues of a group as runs of neighbours: a control queue is apart from the data queues.
    private func queueRuns(ofGroup group: Int) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for queue in queues.indices where self.group(ofQueue: queue) == group {
            if let last = runs.last, last.upperBound == queue {
                runs[runs.count - 1] = last.lowerBound..<queue + 1
            } else {
                runs.append(queue..<queue + 1)
            }
        }
        return runs
    }

    private func index(ofAddressSpace addressSpace: UInt32) throws(Errno) -> Int {
        guard Int(addressSpace) < addressSpaces.count else { throw .invalidArgument }
        return Int(addressSpace)
    }
}
