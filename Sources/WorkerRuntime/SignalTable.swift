internal import LinuxHost
internal import SystemPackage

/// The eventfds that a loop waits for, by number, and how often each was signalled: fixed room, allocated once a loop.
@safe
struct SignalTable: ~Copyable {
    /// One eventfd, and the number that tells its polls from those of one bound earlier.
    private struct Signal: ~Copyable {
        var descriptor: FileDescriptor?
        /// The eventfd where the loop is one of its owners.
        var kept: SharedEventFD?
        var generation: UInt16 = 0
        var count = 0
    }

    private let signals: UnsafeMutablePointer<Signal>
    private let count: Int
    /// Signals that nobody has taken yet, of all together.
    private var waiting = 0

    init(count: Int) {
        self.count = count
        unsafe signals = .allocate(capacity: count)
        for index in 0..<count { unsafe (signals + index).initialize(to: Signal()) }
    }

    deinit {
        unsafe signals.deinitialize(count: count)
        unsafe signals.deallocate()
    }

    /// Puts another eventfd, or none, in the place of signal `index`, and returns the generation that has ended.
    ///
    /// `kept` is kept until the next one comes, or the table goes. What came before is still to be taken.
    mutating func replace(_ index: Int, by descriptor: FileDescriptor?, kept: SharedEventFD?) -> UInt16 {
        precondition(index < count)
        let ended = unsafe signals[index].generation
        unsafe signals[index].generation &+= 1
        unsafe signals[index].descriptor = descriptor
        unsafe signals[index].kept = kept
        return ended
    }

    /// What is polled for signal `index`, if anything, and the generation that its polls have.
    func polled(_ index: Int) -> (descriptor: FileDescriptor?, generation: UInt16) {
        precondition(index < count)
        return unsafe (signals[index].descriptor, signals[index].generation)
    }

    /// Counts a signal; `false` for one of a generation that has ended.
    mutating func note(_ index: Int, generation: UInt16) -> Bool {
        precondition(index < count)
        guard unsafe signals[index].generation == generation else { return false }
        unsafe signals[index].count &+= 1
        waiting &+= 1
        return true
    }

    /// How often signal `index` came since the last call.
    mutating func take(_ index: Int) -> Int {
        precondition(index < count)
        let taken = unsafe signals[index].count
        unsafe signals[index].count = 0
        waiting &-= taken
        return taken
    }

    /// Signals have come that nobody has taken yet.
    var isAnyWaiting: Bool { waiting > 0 }
}
