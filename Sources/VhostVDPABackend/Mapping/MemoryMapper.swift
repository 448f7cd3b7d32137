package import GuestMemory
internal import Logging
internal import SystemPackage
internal import VhostVDPA

/// Keeps a device's IOTLB equal to the guest's memory map: a memory listener, and the owner of the map state.
///
/// It always follows the flat view. Whether a change also goes to the device depends on ``state`` alone: while
/// the maps are ``MappingState/unmapped`` nothing is sent, and the next ``map()`` sends the view as it then is;
/// while they are mapped or kept every change is sent at once, in one batch. IOVA is the guest physical
/// address. A change that fails is taken back whole. Control thread.
package final class MemoryMapper: MemoryListener {
    /// What is known of the device's maps.
    private struct Standing {
        var state = MappingState.unmapped
        var isInDoubt = false
    }

    private var standing = Standing()
    /// What the device took to map the whole view, the last time that was done; `nil` before the first.
    package private(set) var lastMapDuration: Duration?

    private let device: VhostVDPADevice
    private let filter: SectionFilter
    private let limits: MapLimits
    /// Whether IOTLB_BATCH is acknowledged.
    private var usesBatch: Bool
    private var verification: MapVerification
    /// The flat view as the device gets it, by section.
    private var view: [MemorySection: MemoryMap] = [:]
    private var pendingRemovals: [MemorySection] = []
    private var pendingAdditions: [MemorySection] = []

    init(
        device: VhostVDPADevice, iovaRange: IOVARange, usesBatch: Bool, verification: MapVerification,
        limits: MapLimits, logger: Logger
    ) {
        self.device = device
        filter = SectionFilter(iovaRange: iovaRange, limits: limits, logger: logger)
        self.limits = limits
        self.usesBatch = usesBatch
        self.verification = verification
    }

    /// How changes are sent from now on.
    func configure(usesBatch: Bool, verification: MapVerification) {
        self.usesBatch = usesBatch
        self.verification = verification
    }

    /// Where the device's maps stand.
    package var state: MappingState { standing.state }

    /// Whether a map or unmap has failed since the maps were last known to be empty.
    package var hadError: Bool { standing.isInDoubt }

    /// The sections the device has, or gets with the next ``map()``, in ascending order.
    package var mappedSections: [MemorySection] { maps.map(\.section) }

    /// The bytes behind ``mappedSections``.
    package var mappedByteCount: ByteCount {
        ByteCount(rawValue: view.values.reduce(0) { $0 + $1.byteCount.rawValue })
    }

    /// The host memory behind `range`, as the device addresses it; `nil` unless all of it lies in one section that the
    /// device has, or gets with the next ``map()``, and may write.
    func writableHost(of range: IOVARange) -> HostAddress? {
        let entry = view.values.lazy.map(\.entry).first { $0.range.contains(range) }
        guard let entry, entry.access.contains(.write) else { return nil }
        let offset = range.first.rawValue - entry.range.first.rawValue
        return entry.host.advanced(by: ByteCount(rawValue: offset))
    }

    private var maps: [MemoryMap] { view.values.sorted { $0.entry.range.first < $1.entry.range.first } }

    // MARK: The memory listener

    /// Starts collecting a change.
    package func begin() {
        pendingRemovals = []
        pendingAdditions = []
    }

    /// Collects a section that is gone.
    package func remove(_ section: MemorySection) { pendingRemovals.append(section) }

    /// Collects a section that is new.
    package func add(_ section: MemorySection) { pendingAdditions.append(section) }

    /// Does nothing: the section stands as it stood.
    package func keep(_ section: MemorySection) {}

    /// Carries the change out, on the device too where maps stand.
    ///
    /// Throws a ``BackendError``: a section outside the IOVA range, a section that is not shared memory, a
    /// refused map; view and device are then as before. Cost: that of pinning the new sections, where the
    /// parent pins.
    package func commit() throws(MemoryListenerError) {
        defer { begin() }
        do throws(BackendError) {
            let removed = pendingRemovals.compactMap { view[$0] }
            let added = try filter.maps(of: pendingAdditions)
            guard !removed.isEmpty || !added.isEmpty else { return }
            if state.reachesDevice { try send(removing: removed, adding: added) }
            for map in removed { view[map.section] = nil }
            for map in added { view[map.section] = map }
        } catch {
            throw MemoryListenerError(error)
        }
    }

    // MARK: The lifecycle

    /// Maps the whole view: unmapped → mapped. On an error nothing is mapped.
    func map() throws(BackendError) {
        let next = try state(after: .map)
        let maps = maps
        let begin = ContinuousClock.now
        try send(removing: [], adding: maps)
        lastMapDuration = begin.duration(to: .now)
        standing.state = next
    }

    /// Notes that the maps stood across a reset: mapped → kept. Sends nothing.
    func keep() throws(BackendError) { standing.state = try state(after: .keep) }

    /// Notes that a start uses the standing maps: kept → mapped. Sends nothing.
    func reuse() throws(BackendError) { standing.state = try state(after: .reuse) }

    /// Unmaps everything: → unmapped. Sends nothing where nothing is mapped.
    ///
    /// After an earlier error the whole address space is emptied in one message, as what it holds is in doubt.
    /// On an error the state stays, and so does ``hadError``.
    func flush() throws(BackendError) {
        let next = try state(after: .flush)
        guard state.reachesDevice || hadError else { return }
        var transaction = MapTransaction(device: device, usesBatch: usesBatch)
        do throws(VhostVDPAError) {
            if hadError {
                try transaction.invalidateAll()
            } else {
                for map in maps { try transaction.invalidate(map) }
            }
            try transaction.close()
        } catch {
            standing.isInDoubt = true
            throw BackendError("unmapping guest memory", error)
        }
        standing = Standing(state: next, isInDoubt: false)
    }

    /// Follows the view without the device from now on: its file is about to be closed, maps and all.
    func abandon() { standing.state = .unmapped }

    private func state(after event: MappingState.Event) throws(BackendError) -> MappingState {
        guard let next = state.after(event) else {
            throw BackendError(.invalidState, "maps that are \(state) cannot \(event)")
        }
        return next
    }

    // MARK: To the device

    private func send(removing removed: [MemoryMap], adding added: [MemoryMap]) throws(BackendError) {
        var transaction = MapTransaction(device: device, usesBatch: usesBatch)
        let plan = MapPlan(
            removing: removed, adding: added, pageSize: limits.pageSize,
            verification: usesBatch ? verification : .never)
        var current: (map: MemoryMap, entry: TranslationEntry)?
        var isVerification = false
        do throws(VhostVDPAError) {
            for map in removed { try transaction.invalidate(map) }
            for (map, entry) in plan.batched {
                current = (map, entry)
                try transaction.update(entry)
            }
            current = nil
            try transaction.close()
            if let (map, entry) = plan.verifying {
                current = (map, entry)
                isVerification = !plan.batched.isEmpty
                try transaction.updateUnbatched(entry)
            }
        } catch {
            standing.isInDoubt = true
            let total = mappedByteCount.rawValue + added.reduce(0) { $0 + $1.byteCount.rawValue }
            let refusal = MapRefusal(
                error: error, map: current?.map,
                totalByteCount: ByteCount(rawValue: state.reachesDevice ? total : mappedByteCount.rawValue),
                updateCount: (state.reachesDevice ? view.count - removed.count + added.count : view.count)
                    + (plan.verifying == nil || plan.batched.isEmpty ? 0 : 1),
                limits: limits, isVerification: isVerification
            ).backendError
            // A parent that maps by virtual address unwinds a failure at IOVA 0 by emptying the address space.
            let wipes = current?.entry.range.first.rawValue == 0
            do throws(VhostVDPAError) {
                if wipes && state.reachesDevice {
                    try transaction.rebuild(maps)
                } else {
                    try transaction.rollBack()
                }
            } catch {
                throw refusal.adding("taking the change back failed as well: \(error)")
            }
            throw refusal
        }
    }
}
