/// An IOTLB frozen for the data path: sorted entries in one buffer, searched without allocation or locks.
///
/// A worker owns its table alone (hence noncopyable) and gets a new one when the maps change. A look-up tries
/// the entry that answered last, then searches in O(log n). The caller guarantees that every host range in it
/// stays mapped for as long as the table is in use; that is what "drained before an unmap" buys.
@safe
public struct TranslationTable: ~Copyable {
    @usableFromInline let entries: UnsafeMutablePointer<TranslationEntry>
    /// The number of entries.
    public let count: Int
    @usableFromInline var lastHit = 0

    /// Makes a table of `entries`, which must not overlap; their order does not matter. O(n log n).
    public init(_ entries: some Collection<TranslationEntry>) {
        let sorted = entries.sorted { $0.range.first < $1.range.first }
        count = sorted.count
        unsafe self.entries = UnsafeMutablePointer.allocate(capacity: max(1, sorted.count))
        for (index, entry) in sorted.enumerated() { unsafe (self.entries + index).initialize(to: entry) }
    }

    deinit {
        unsafe entries.deinitialize(count: count)
        unsafe entries.deallocate()
    }

    /// The entry that holds `address`, or `nil`.
    @inlinable
    public mutating func entry(containing address: IOVirtualAddress) -> TranslationEntry? {
        if lastHit < count {
            let entry = unsafe entries[lastHit]
            if entry.range.contains(address) { return entry }
        }
        var low = 0
        var high = count
        while low < high {
            let middle = (low &+ high) >> 1
            let entry = unsafe entries[middle]
            if entry.range.last < address {
                low = middle &+ 1
            } else if address < entry.range.first {
                high = middle
            } else {
                lastHit = middle
                return entry
            }
        }
        return nil
    }

    /// The longest run of host memory that backs the start of `byteCount` bytes at `address`.
    ///
    /// The run ends with the access or with the entry, whichever is first: a buffer across entries takes
    /// several calls. `byteCount` must be above zero; the result's length is too.
    @inlinable
    public mutating func run(
        at address: IOVirtualAddress, byteCount: UInt32, access: MemoryAccess
    ) throws(TranslationFault) -> UnsafeMutableRawBufferPointer {
        guard let entry = entry(containing: address), entry.access.isSuperset(of: access) else {
            throw TranslationFault(address: address, access: access)
        }
        let offset = address.rawValue &- entry.range.first.rawValue
        let remaining = entry.range.last.rawValue &- address.rawValue
        let length = remaining >= UInt64(byteCount) ? UInt64(byteCount) : remaining &+ 1
        guard
            let pointer = unsafe UnsafeMutableRawPointer(bitPattern: UInt(entry.host.rawValue &+ offset))
        else { throw TranslationFault(address: address, access: access) }
        return unsafe UnsafeMutableRawBufferPointer(start: pointer, count: Int(length))
    }

    /// The start of `byteCount` bytes at `address` where all of them are contiguous in host memory.
    ///
    /// Adjacent entries that continue each other in host memory count as one. For ring areas, which are
    /// resolved once and then used by pointer.
    public mutating func contiguous(
        at address: IOVirtualAddress, byteCount: ByteCount, access: MemoryAccess
    ) throws(TranslationFault) -> UnsafeMutableRawPointer {
        var next = address
        var left = byteCount.rawValue
        var base: UnsafeMutableRawPointer?
        var end: UnsafeMutableRawPointer?
        while left > 0 {
            let part = try unsafe run(at: next, byteCount: UInt32(clamping: left), access: access)
            guard let start = part.baseAddress, unsafe end == nil || end == start else {
                throw TranslationFault(address: next, access: access)
            }
            unsafe base = unsafe base ?? start
            unsafe end = start + part.count
            left -= UInt64(part.count)
            guard left > 0 else { break }
            guard let following = next.advanced(by: ByteCount(part.count)) else {
                throw TranslationFault(address: next, access: access)
            }
            next = following
        }
        guard let base = unsafe base else { throw TranslationFault(address: address, access: access) }
        return unsafe base
    }
}
