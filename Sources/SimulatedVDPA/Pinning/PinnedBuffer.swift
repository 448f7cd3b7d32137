/// A registered buffer: whole pages that one slot of a ring holds.
struct PinnedBuffer {
    /// Host addresses.
    let range: Range<UInt64>
    let table: RegisteredBufferTable
    let slot: Int
    /// The bytes of it that are wanted. Less than the range only where the rest could not be cut off.
    var wantedByteCount: UInt64

    init(range: Range<UInt64>, table: RegisteredBufferTable, slot: Int) {
        self.range = range
        self.table = table
        self.slot = slot
        wantedByteCount = UInt64(range.count)
    }
}
