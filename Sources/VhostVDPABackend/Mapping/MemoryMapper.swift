public import GuestMemory
internal import Logging
internal import SystemPackage
internal import VhostVDPA

/// Keeps a device's IOTLB equal to the guest's memory map: a memory listener, and the owner of the map state.
///
/// It always follows the flat view. Whether a change also goes to the device depends on ``state`` alone: while
/// the maps are ``MappingState/unmapped`` nothing is sent, and the next ``map()`` sends the view as it then is;
/// while they are mapped or kept every change is sent at once, in one batch. IOVA is the guest physical
/// address. A change that fails is taken back whole. Control thread.
public final class MemoryMapper: MemoryListener {
    /// What the mapper must know of its device.
    struct Parameters {
        /// The addresses the device can use; a memory section outside is refused.
        let iovaRange: IOVARange
        /// Whether IOTLB_BATCH is acknowledged.
        var usesBatch: Bool
        var verification: MapVerification
        var addressSpace: AddressSpaceID = 0
    }

    /// Where the device's maps stand.
    public private(set) var state: MappingState {
        get { place }
        set { place = newValue }
    }
    /// Whether a map or unmap has failed since the maps were last known to be empty.
    public private(set) var hadError: Bool {
        get { isInDoubt }
        set { isInDoubt = newValue }
    }

    // Behind accessors: a stored property that another module sees is checked for exclusive access at every use.
    private var place = MappingState.unmapped
    private var isInDoubt = false

    /// What the device took to map the whole view, the last time that was done; `nil` before the first.
    package private(set) var lastMapDuration: Duration?

    /// The error of the last ``commit()`` that threw one.
    private(set) var lastRefusal: BackendError?

    let device: VhostVDPADevice
    var parameters: Parameters
    let host: HostMemory
    let logger: Logger
    /// The flat view as the device gets it, by section.
    private var view: [MemorySection: MemoryMap] = [:]
    private var pendingRemovals: [MemorySection] = []
    private var pendingAdditions: [MemorySection] = []

    init(device: VhostVDPADevice, parameters: Parameters, host: HostMemory, logger: Logger) {
        self.device = device
        self.parameters = parameters
        self.host = host
        self.logger = logger
    }

    /// The sections the device has, or gets with the next ``map()``, in ascending order.
    public var mappedSections: [MemorySection] { maps.map(\.section) }

    /// The bytes behind ``mappedSections``.
    public var mappedByteCount: ByteCount {
        ByteCount(rawValue: view.values.reduce(0) { $0 + $1.byteCount.rawValue })
    }

    private var maps: [MemoryMap] { view.values.sorted { $0.entry.range.first < $1.entry.range.first } }

    // MARK: The memory listener

    /// Starts collecting a change.
    public func begin() {
        pendingRemovals = []
        pendingAdditions = []
    }

    /// Collects a section that is gone.
    public func remove(_ section: MemorySection) { pendingRemovals.append(section) }

    /// Collects a section that is new.
    public func add(_ section: MemorySection) { pendingAdditions.append(section) }

    /// Does nothing: the section stands as it stood.
    public func keep(_ section: MemorySection) {}

    /// Carries the change out, on the device too where maps stand.
    ///
    /// Throws a ``BackendError``: a section outside the IOVA range, a section that is not shared memory, a
    /// refused map; view and device are then as before. Cost: that of pinning the new sections, where the
    /// parent pins.
    public func commit() throws(MemoryListenerError) {
        defer { begin() }
        do throws(BackendError) {
            let removed = pendingRemovals.compactMap { view[$0] }
            let added = try mappable(pendingAdditions)
            guard !removed.isEmpty || !added.isEmpty else { return }
            if state.reachesDevice { try send(removing: removed, adding: added) }
            for map in removed { view[map.section] = nil }
            for map in added { view[map.section] = map }
        } catch {
            lastRefusal = error
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
        state = next
    }

    /// Notes that the maps stood across a reset: mapped → kept. Sends nothing.
    @inline(__always)
    func keep() throws(BackendError) { state = try state(after: .keep) }

    /// Notes that a start uses the standing maps: kept → mapped. Sends nothing.
    @inline(__always)
    func reuse() throws(BackendError) { state = try state(after: .reuse) }

    /// Unmaps everything: → unmapped. Sends nothing where nothing is mapped.
    ///
    /// After an earlier error the whole address space is emptied in one message, as what it holds is in doubt.
    /// On an error the state stays, and so does ``hadError``.
    func flush() throws(BackendError) {
        let next = try state(after: .flush)
        guard state.reachesDevice || hadError else { return }
        var transaction = makeTransaction()
        do throws(VhostVDPAError) {
            if hadError {
                try transaction.invalidateAll()
            } else {
                for map in maps { try transaction.invalidate(map) }
            }
            try transaction.close()
        } catch {
            hadError = true
            throw BackendError("unmapping guest memory", error)
        }
        hadError = false
        state = next
    }

    /// Follows the view without the device from now on: its file is about to be closed, maps and all.
    func abandon() { state = .unmapped }

    @inline(__always)
    private func state(after event: MappingState.Event) throws(BackendError) -> MappingState {
        guard let next = state.after(event) else { throw refusal(of: event) }
        return next
    }

    @inline(never)
    private func refusal(of event: MappingState.Event) -> BackendError {
        BackendError(.invalidState, "maps that are \(state) cannot \(event)")
    }

    // MARK: To the device

    private func makeTransaction() -> MapTransaction {
        MapTransaction(
            device: device, addressSpace: parameters.addressSpace, usesBatch: parameters.usesBatch)
    }

    private func send(removing removed: [MemoryMap], adding added: [MemoryMap]) throws(BackendError) {
        var transaction = makeTransaction()
        let plan = MapPlan(
            removing: removed, adding: added, pageSize: host.pageSize,
            verification: parameters.usesBatch ? parameters.verification : .never)
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
            hadError = true
            let total = mappedByteCount.rawValue + added.reduce(0) { $0 + $1.byteCount.rawValue }
            let refusal = MapRefusal(
                error: error, map: current?.map,
                totalByteCount: ByteCount(rawValue: state.reachesDevice ? total : mappedByteCount.rawValue),
                updateCount: (state.reachesDevice ? view.count - removed.count + added.count : view.count)
                    + (plan.verifying == nil || plan.batched.isEmpty ? 0 : 1),
                host: host, isVerification: isVerification
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
