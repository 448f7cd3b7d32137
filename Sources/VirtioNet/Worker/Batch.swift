/// The items of one batch of I/O and the result of each: fixed room, allocated once a worker.
@safe
struct Batch<Item: BitwiseCopyable>: ~Copyable {
    let capacity: Int
    private let items: UnsafeMutablePointer<Item>
    private let results: UnsafeMutablePointer<Int32>
    private(set) var count = 0
    /// How many results are still to come.
    private(set) var pending = 0

    init(capacity: Int) {
        self.capacity = capacity
        unsafe items = .allocate(capacity: capacity)
        unsafe results = .allocate(capacity: capacity)
        unsafe results.initialize(repeating: 0, count: capacity)
    }

    deinit {
        unsafe items.deallocate()
        unsafe results.deallocate()
    }

    /// Empties the batch. Every result must have come.
    mutating func removeAll() {
        precondition(pending == 0, "a batch ends only when every result is there")
        count = 0
    }

    /// Adds an item whose result is to come and returns its slot. There must be room.
    mutating func append(_ item: Item) -> Int {
        precondition(count < capacity)
        unsafe (items + count).initialize(to: item)
        unsafe results[count] = Self.noResult
        pending &+= 1
        defer { count &+= 1 }
        return count
    }

    /// Notes the result of the item at `slot`; a slot that is not part of the batch is ignored.
    mutating func finish(slot: Int, result: Int32) {
        guard slot < count, unsafe results[slot] == Self.noResult else { return }
        unsafe results[slot] = result
        pending &-= 1
    }

    /// Gives every item that has no result yet `result`: none will come any more.
    mutating func finishPending(result: Int32) {
        guard pending > 0 else { return }
        for slot in 0..<count where unsafe results[slot] == Self.noResult { unsafe results[slot] = result }
        pending = 0
    }

    /// What stands in place of a result that is still to come; no errno is that large.
    private static var noResult: Int32 { .min }

    func item(_ slot: Int) -> Item {
        precondition(slot < count)
        return unsafe items[slot]
    }

    func result(_ slot: Int) -> Int32 {
        precondition(slot < count)
        return unsafe results[slot]
    }
}
