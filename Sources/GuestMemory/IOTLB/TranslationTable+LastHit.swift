extension TranslationTable {
    /// The start of `byteCount` bytes at `address` where the entry that answered last holds all of them.
    ///
    /// `nil` says nothing about the address: ask ``run(at:byteCount:access:)``. This is the part of a look-up
    /// that is worth inlining into a loop over chains, whose buffers mostly lie in one entry. `byteCount` must be
    /// above zero.
    @inlinable
    @inline(__always)
    public func runInLastEntry(
        at address: IOVirtualAddress, byteCount: UInt32, access: MemoryAccess
    ) -> UnsafeMutableRawPointer? {
        guard lastHit < count else { return nil }
        let entry = unsafe entries + lastHit
        let first = unsafe entry.pointee.range.first.rawValue
        let span = unsafe entry.pointee.range.last.rawValue &- first
        let offset = address.rawValue &- first
        guard
            offset <= span, UInt64(byteCount &- 1) <= span &- offset,
            unsafe entry.pointee.access.rawValue & access.rawValue == access.rawValue
        else { return nil }
        return unsafe UnsafeMutableRawPointer(bitPattern: UInt(entry.pointee.host.rawValue &+ offset))
    }
}
