/// The results of one batch of I/O: fixed room, allocated once a loop.
///
/// What a slot's transfer moves is known to whoever made it, who keeps it by the slot's number.
@safe
struct IOBatch: ~Copyable {
    let capacity: Int
    private let results: UnsafeMutablePointer<Int32>
    private(set) var count = 0
    /// How many results are still to come.
    private(set) var pending = 0

    init(capacity: Int) {
        self.capacity = capacity
        unsafe results = .allocate(capacity: capacity)
        unsafe results.initialize(repeating: 0, count: capacity)
    }

    deinit { unsafe results.deallocate() }

    /// Empties the batch. Every result must have come.
    mutating func removeAll() {
        precondition(pending == 0, "a batch ends only when every result is there")
        count = 0
    }

    /// Takes the next slot, whose result is to come, and returns it. There must be room.
    mutating func append() -> Int {
        precondition(count < capacity)
        unsafe results[count] = Self.noResult
        pending &+= 1
        defer { count &+= 1 }
        return count
    }

    /// Notes the result at `slot`; a slot that is not part of the batch is ignored.
    mutating func finish(slot: Int, result: Int32) {
        guard slot < count, unsafe results[slot] == Self.noResult else { return }
        unsafe results[slot] = result
        pending &-= 1
    }

    /// Gives every slot that has no result yet `result`: none will come any more.
    mutating func finishPending(result: Int32) {
        guard pending > 0 else { return }
        for slot in 0..<count where unsafe results[slot] == Self.noResult { unsafe results[slot] = result }
        pending = 0
    }

    /// What stands in place of a result that is still to come; no errno is that large.
    private static var noResult: Int32 { .min }

    func result(_ slot: Int) -> Int32 {
        precondition(slot < count)
        return unsafe results[slot]
    }
}
