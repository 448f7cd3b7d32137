/// What the transfers of one batch of port I/O move, by their slots in ``EventLoop``: fixed room, allocated once.
///
/// Set in the order of the slots; slot 0 begins a new batch.
@safe
struct Slots<Item: BitwiseCopyable>: ~Copyable {
    private let capacity: Int
    private let items: UnsafeMutablePointer<Item>
    private var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        unsafe items = .allocate(capacity: capacity)
    }

    deinit { unsafe items.deallocate() }

    subscript(slot: Int) -> Item {
        get {
            precondition(slot < count)
            return unsafe items[slot]
        }
        set {
            precondition(slot <= count && slot < capacity, "slots are set in order")
            unsafe (items + slot).initialize(to: newValue)
            count = slot &+ 1
        }
    }
}
