/// What a split ring must hold and say, in plain arrays: the oracle.
///
/// It shares no code with the queues. Indices are counted without wrapping and cut to 16 bits only where the
/// ring's memory is compared; events are found by looking at every index that was passed.
struct RingModel {
    struct Buffer: Hashable {
        let address: UInt64
        let byteCount: UInt32
        let isWritable: Bool
    }

    struct Chain {
        let token: UInt32
        let buffers: [Buffer]
        let descriptors: Int
        /// The indirect table it uses.
        let table: Int?
        /// What the driver called it in the ring, once published.
        var head: UInt16 = 0

        func bytes(writable: Bool) -> Int {
            buffers.filter { $0.isWritable == writable }.reduce(0) { $0 + Int($1.byteCount) }
        }
    }

    let size: Int
    let hasEventIndex: Bool

    /// Chains by where they are, each list in the ring's order.
    var unpublished: [Chain] = []
    var available: [Chain] = []
    /// Popped ones stay in their place when completed, so that what may be rewound is the unfinished end.
    var popped: [(chain: Chain, isCompleted: Bool)] = []
    var completed: [(chain: Chain, byteCount: UInt32)] = []
    var used: [(chain: Chain, byteCount: UInt32)] = []

    /// How many chains passed each point, from the start of the ring's life.
    var publishedCount: Int
    var poppedCount: Int
    var returnedCount: Int
    var reapedCount: Int

    var availEvent: UInt16
    var usedEvent: UInt16
    var noNotify = false
    var noInterrupt = false
    var deviceHasSignalled = false

    init(size: Int, hasEventIndex: Bool, base: UInt16) {
        self.size = size
        self.hasEventIndex = hasEventIndex
        freeDescriptors = size
        publishedCount = Int(base)
        poppedCount = Int(base)
        returnedCount = Int(base)
        reapedCount = Int(base)
        availEvent = base
        usedEvent = base
    }

    /// The chains the driver has out.
    var lent: [Chain] {
        unpublished + available + popped.filter { !$0.isCompleted }.map(\.chain) + completed.map(\.chain)
            + used.map(\.chain)
    }

    var lentCount: Int {
        unpublished.count + available.count + deviceHeld + completed.count + used.count
    }

    private(set) var deviceHeld = 0

    /// What the chains lent leave of the ring.
    private(set) var freeDescriptors: Int

    /// How many chains at the end of the popped ones are not completed.
    var rewindable: Int { popped.reversed().prefix { !$0.isCompleted }.count }

    /// Whether an index from `old` up to but not including `new` is `event`.
    static func passes(_ event: UInt16, from old: Int, to new: Int) -> Bool {
        (old..<new).contains { UInt16(truncatingIfNeeded: $0) == event }
    }

    mutating func driverAdds(_ chain: Chain) {
        unpublished.append(chain)
        freeDescriptors -= chain.descriptors
    }

    mutating func driverPublishes() -> Bool {
        let old = publishedCount
        publishedCount += unpublished.count
        available += unpublished
        unpublished = []
        guard publishedCount > old else { return false }
        return hasEventIndex ? Self.passes(availEvent, from: old, to: publishedCount) : !noNotify
    }

    mutating func devicePops() -> Chain? {
        guard !available.isEmpty else { return nil }
        let chain = available.removeFirst()
        popped.append((chain, false))
        deviceHeld += 1
        poppedCount += 1
        return chain
    }

    mutating func deviceCompletes(_ index: Int, byteCount: UInt32) {
        popped[index].isCompleted = true
        deviceHeld -= 1
        completed.append((popped[index].chain, byteCount))
    }

    mutating func deviceRewinds(_ count: Int) {
        available.insert(contentsOf: popped.suffix(count).map(\.chain), at: 0)
        popped.removeLast(count)
        deviceHeld -= count
        poppedCount -= count
    }

    mutating func devicePublishes() -> Bool {
        let old = returnedCount
        returnedCount += completed.count
        popped = Array(popped.drop { $0.isCompleted })
        used += completed
        completed = []
        guard returnedCount > old else { return false }
        guard hasEventIndex else { return !noInterrupt }
        let passes = Self.passes(usedEvent, from: old, to: returnedCount) || !deviceHasSignalled
        deviceHasSignalled = true
        return passes
    }

    mutating func driverReaps() -> (chain: Chain, byteCount: UInt32)? {
        guard !used.isEmpty else { return nil }
        reapedCount += 1
        freeDescriptors += used[0].chain.descriptors
        return used.removeFirst()
    }
}
