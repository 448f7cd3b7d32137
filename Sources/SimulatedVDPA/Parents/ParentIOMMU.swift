internal import GuestMemory
internal import SystemPackage
internal import VhostVDPA
internal import VirtioDevice

/// The IOMMU that a device's queues translate through, and the data path kept in step with it.
///
/// It is the device's own, with one ``OnChipAddressSpace`` for each address space of vhost-vdpa's, or the platform's in
/// front of the device. Control thread only.
final class ParentIOMMU {
    /// The on-chip IOMMU; empty behind the platform's.
    private var addressSpaces: [OnChipAddressSpace]
    /// Address spaces with changes that the data path has not been given yet.
    private var stale: Set<Int> = []
    /// The address space of each group.
    private(set) var groups: [UInt32]
    /// The memory of a driver in the kernel, with the addresses the device has for it.
    private var kernelMemory: [TranslationEntry] = []
    /// The IOMMU in front of the device; `nil` where the device has its own.
    let platform: PlatformIOMMU?
    /// Keeps mapped memory within the device's reach.
    let memory = DeviceMemory()

    private let startsInIdentity: Bool
    /// The queues of each group as runs of neighbours: a control queue is apart from the data queues.
    private let queueRuns: [[Range<Int>]]
    /// The queues whose rings are in each group, in the same form; none where a ring is wherever its queue is.
    private let ringRuns: [[Range<Int>]]
    private let hasOneIdentity: Bool
    private let faults: FaultInjector
    private let dataPath: any DataPath

    /// Makes the IOMMU of a device as it is when nobody has mapped.
    ///
    /// - Parameters:
    ///   - groupsOfQueues: the group of each of the device's queues.
    ///   - groupsOfRings: the group of each queue's ring (`get_vq_desc_group`); empty where the parent does not say.
    init(
        _ behaviour: ParentBehaviour, description: ParentDescription, groupsOfQueues: [UInt32],
        groupsOfRings: [UInt32], faults: FaultInjector, dataPath: any DataPath
    ) {
        let isBehindPlatform = description.mapOperation == .platform
        platform = isBehindPlatform ? PlatformIOMMU(faults: faults) : nil
        startsInIdentity = behaviour.startsInIdentity
        hasOneIdentity = behaviour.hasOneIdentity
        addressSpaces = (0..<(isBehindPlatform ? 0 : description.addressSpaceCount)).map { space in
            OnChipAddressSpace(
                limit: behaviour.entryLimit,
                isIdentity: behaviour.startsInIdentity && (space == 0 || !behaviour.hasOneIdentity))
        }
        groups = Array(repeating: 0, count: description.groupCount)
        queueRuns = (0..<description.groupCount).map { Self.runs(ofGroup: $0, groupsOfQueues) }
        ringRuns = (0..<description.groupCount).map { Self.runs(ofGroup: $0, groupsOfRings) }
        self.faults = faults
        self.dataPath = dataPath
        platform?.onChange = { [unowned self] in stale.insert(0) }
        // A ring is in a group of its own from the first moment on.
        if !groupsOfRings.isEmpty { installTranslation(ofAddressSpace: 0) }
    }

    private static func runs(ofGroup group: Int, _ groupsOfQueues: [UInt32]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for queue in groupsOfQueues.indices where groupsOfQueues[queue] == group {
            if let last = runs.last, last.upperBound == queue {
                runs[runs.count - 1] = last.lowerBound..<queue + 1
            } else {
                runs.append(queue..<queue + 1)
            }
        }
        return runs
    }

    // MARK: Maps

    /// Replaces a whole address space, which a refusal leaves empty.
    func setMap(_ entries: [TranslationEntry], addressSpace: UInt32) throws(Errno) {
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

    /// Adds one entry; the data path has it with the next ``apply()``.
    func map(_ entry: TranslationEntry, addressSpace: UInt32) throws(Errno) {
        let space = try index(ofAddressSpace: addressSpace)
        stale.insert(space)
        try faults.checkMap(standing: addressSpaces[space].table.count)
        try addressSpaces[space].insert(entry)
    }

    /// Removes what touches `range`; the data path loses it with the next ``apply()``.
    func unmap(_ range: AddressRange<IOVirtualAddress>, addressSpace: UInt32) {
        guard let space = try? index(ofAddressSpace: addressSpace) else { return }
        addressSpaces[space].remove(range)
        stale.insert(space)
    }

    /// Gives the data path what has changed: by ``map(_:addressSpace:)``, ``unmap(_:addressSpace:)``, or on the platform.
    func apply() {
        guard !stale.isEmpty else { return }
        faults.delay()
        for space in stale.sorted() { installTranslation(ofAddressSpace: space) }
    }

    /// Brings an address space back to what it was before anybody mapped.
    func resetMap(addressSpace: UInt32) throws(Errno) {
        restoreInitialState(ofAddressSpace: try index(ofAddressSpace: addressSpace))
    }

    /// Everything goes; what vhost-vdpa believes stays.
    func loseMaps() {
        platform?.domain?.loseEverything()
        for space in addressSpaces.indices { restoreInitialState(ofAddressSpace: space) }
        apply()
    }

    // MARK: Groups

    /// Points a group of queues at an address space.
    func setGroup(_ group: UInt32, addressSpace: UInt32) throws(Errno) {
        guard Int(group) < groups.count else { throw .invalidArgument }
        let space = try index(ofAddressSpace: addressSpace)
        guard groups[Int(group)] != addressSpace else { return }
        groups[Int(group)] = addressSpace
        installTranslation(ofAddressSpace: space)
    }

    /// Every group uses address space 0 again.
    func resetGroups() {
        guard groups.contains(where: { $0 != 0 }) else { return }
        for group in groups.indices { groups[group] = 0 }
        installTranslation(ofAddressSpace: 0)
    }

    // MARK: A driver in the kernel

    // An on-chip IOMMU that has a 1:1 state is none of the DMA API's business: it hands out host-physical addresses, and
    // whether the device reaches them is up to the state the IOMMU is in. Everywhere else the DMA API maps: through the
    // platform's IOMMU, VDUSE's bounce pages (`vduse_domain_map_page`), or the table of 6.1's vdpa_sim
    // (`vdpasim_map_page`).

    /// Lets the device reach `memory` and returns the address it has for the first byte (`dma_map_single`).
    func mapKernelMemory(_ memory: AddressRange<HostAddress>) throws(Errno) -> IOVirtualAddress {
        let first =
            startsInIdentity && platform == nil
            ? IOVirtualAddress(rawValue: memory.first.rawValue)
            : kernelMemory.last.flatMap { $0.range.last.advanced(by: ByteCount(rawValue: 1)) }
                ?? kernelWindow
        guard let byteCount = memory.byteCount, let range = AddressRange(first: first, byteCount: byteCount)
        else { throw .invalidArgument }
        let entry = TranslationEntry(range: range, host: memory.first, access: .readWrite)
        if sharesTableWithKernel { try addressSpaces[0].insert(entry) }
        kernelMemory.append(entry)
        installKernelMemory()
        return first
    }

    /// Takes back what ``mapKernelMemory(_:)`` gave (`dma_unmap_single`). No queue may be running.
    func unmapKernelMemory(_ memory: AddressRange<HostAddress>) {
        for entry in kernelMemory where entry.host == memory.first && sharesTableWithKernel {
            addressSpaces[0].remove(entry.range)
        }
        kernelMemory.removeAll { $0.host == memory.first }
        installKernelMemory()
    }

    /// Where the DMA API maps: below 4 GiB in the platform's default domain, above every guest's addresses in a table
    /// that is the user's as well.
    private var kernelWindow: IOVirtualAddress {
        IOVirtualAddress(rawValue: platform == nil ? 1 << 63 : 0xe000_0000)
    }

    /// The kernel's maps stand in the same table as the user's.
    private var sharesTableWithKernel: Bool { platform == nil && !startsInIdentity }

    private func installKernelMemory() {
        for space in 0..<max(1, addressSpaces.count) { installTranslation(ofAddressSpace: space) }
    }

    // MARK: The data path

    private func restoreInitialState(ofAddressSpace space: Int) {
        let isIdentity = startsInIdentity && (space == 0 || !hasOneIdentity)
        guard !addressSpaces[space].table.isEmpty || addressSpaces[space].isIdentity != isIdentity
        else { return }
        addressSpaces[space].reset(toIdentity: isIdentity)
        installTranslation(ofAddressSpace: space)
    }

    /// Gives the queues of a space what it translates to.
    private func installTranslation(ofAddressSpace space: Int) {
        stale.remove(space)
        memory.install(translation(ofAddressSpace: space), addressSpace: space) { entries in
            for (group, used) in groups.enumerated() where Int(used) == space {
                for run in queueRuns[group] { dataPath.setTranslation(entries, queues: run) }
                for run in ringRuns[group] { dataPath.setRingTranslation(entries, queues: run) }
            }
        }
    }

    /// What the device reaches through an address space. In identity that is the kernel's memory at its host-physical
    /// addresses, and any other address faults; so is the default domain of the platform's IOMMU.
    private func translation(ofAddressSpace space: Int) -> [TranslationEntry] {
        if let platform { return platform.domain == nil ? kernelMemory : platform.entries }
        return addressSpaces[space].isIdentity ? kernelMemory : addressSpaces[space].table.entries
    }

    private func index(ofAddressSpace addressSpace: UInt32) throws(Errno) -> Int {
        guard Int(addressSpace) < addressSpaces.count else { throw .invalidArgument }
        return Int(addressSpace)
    }

    /// What it holds, one value per address space.
    var diagnostics: [ParentDiagnostics.AddressSpace] {
        if let platform { return [.init(entries: platform.entries, isIdentity: platform.domain == nil)] }
        return addressSpaces.map { .init(entries: $0.table.entries, isIdentity: $0.isIdentity) }
    }
}
