internal import GuestMemory
internal import VhostVDPA

/// One change of a device's IOTLB, sent message by message and taken back whole if one of them fails.
///
/// The batch opens with the first message, so that a change of nothing sends nothing: even an empty batch makes
/// the kernel hand the device its whole table again. Use one value for one change.
struct MapTransaction {
    /// What was done, so that it can be undone.
    private enum Step {
        case updated(TranslationEntry)
        case invalidated(MemoryMap)
    }

    let device: VhostVDPADevice
    /// Whether IOTLB_BATCH is acknowledged.
    let usesBatch: Bool
    private var steps: [Step] = []
    private var isBatchOpen = false

    init(device: VhostVDPADevice, usesBatch: Bool) {
        self.device = device
        self.usesBatch = usesBatch
    }

    /// Maps `entry`.
    mutating func update(_ entry: TranslationEntry) throws(VhostVDPAError) {
        try openBatch()
        try send(.update(entry))
        steps.append(.updated(entry))
    }

    /// Maps `entry` outside the batch, which must be closed.
    mutating func updateUnbatched(_ entry: TranslationEntry) throws(VhostVDPAError) {
        try send(.update(entry))
        steps.append(.updated(entry))
    }

    /// Unmaps `map`, whole.
    mutating func invalidate(_ map: MemoryMap) throws(VhostVDPAError) {
        try openBatch()
        try send(.invalidate(map.entry.range))
        steps.append(.invalidated(map))
    }

    /// Unmaps everything.
    mutating func invalidateAll() throws(VhostVDPAError) {
        try openBatch()
        try send(.invalidateAll)
    }

    /// Ends the batch, if one is open.
    mutating func close() throws(VhostVDPAError) {
        guard isBatchOpen else { return }
        try send(.batchEnd)
        isBatchOpen = false
    }

    /// Undoes every step, the last one first, in the batch that is still open or in one of its own.
    mutating func rollBack() throws(VhostVDPAError) {
        let done = steps
        steps = []
        for step in done.reversed() {
            try openBatch()
            switch step {
            case .updated(let entry): try send(.invalidate(entry.range))
            case .invalidated(let map): try send(.update(map.entry))
            }
        }
        try close()
    }

    /// Removes everything and maps `maps` again: for when a failure may have taken other maps with it.
    mutating func rebuild(_ maps: [MemoryMap]) throws(VhostVDPAError) {
        steps = []
        try invalidateAll()
        for map in maps { try send(.update(map.entry)) }
        try close()
    }

    private mutating func openBatch() throws(VhostVDPAError) {
        guard usesBatch, !isBatchOpen else { return }
        try send(.batchBegin)
        isBatchOpen = true
    }

    private func send(_ operation: IOTLBMessage.Operation) throws(VhostVDPAError) {
        try device.send(IOTLBMessage(operation))
    }
}
