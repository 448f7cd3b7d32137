internal import IOUring
internal import SystemPackage

/// A ring that is never submitted to: its slots for registered buffers hold pages in memory.
final class RegisteredBufferTable {
    private var ring: IOUring
    private var freeSlots: [Int]

    /// Makes the ring; costs a descriptor and about 400 KiB of kernel memory.
    init() throws(IOUringError) {
        // No owning thread: a table may be used from any, one at a time.
        ring = try IOUring(submissionEntries: 1, completionEntries: 2, options: [])
        try ring.registerBufferSlots(count: IOUring.bufferSlotLimit)
        freeSlots = Array((0..<IOUring.bufferSlotLimit).reversed())
    }

    var isFull: Bool { freeSlots.isEmpty }

    var isEmpty: Bool { freeSlots.count == IOUring.bufferSlotLimit }

    /// Pins the pages of `range`, host addresses, and returns their slot. There must be a free one.
    func register(_ range: Range<UInt64>) throws(IOUringError) -> Int {
        guard let slot = freeSlots.last else {
            throw IOUringError(code: .system, errno: .noSpace, context: "every slot for buffers is taken")
        }
        let start = unsafe UnsafeMutableRawPointer(bitPattern: UInt(range.lowerBound))
        let memory = unsafe UnsafeMutableRawBufferPointer(start: start, count: range.count)
        unsafe try ring.setBuffer(slot: slot, memory)
        freeSlots.removeLast()
        return slot
    }

    /// Unpins what ``register(_:)`` put into `slot`.
    func release(slot: Int) throws(IOUringError) {
        unsafe try ring.setBuffer(slot: slot, nil)
        freeSlots.append(slot)
    }
}
