/// How an address space takes entries: what the kernel and its module parameters settle.
package struct MappingPolicy: Hashable, Sendable {
    /// The most entries of one address space, or `nil` for any number.
    package var entryLimit: Int?
    /// The length of a physically contiguous run in bytes, where memory is pinned; `nil` for unbroken memory.
    package var fragment: Int?

    /// The most pages pinned in total, or `nil` for RLIMIT_MEMLOCK.
    package var pinLimit: Int?

    package init(entryLimit: Int?, fragment: Int? = nil, pinLimit: Int? = nil) {
        self.entryLimit = entryLimit
        self.fragment = fragment
        self.pinLimit = pinLimit
    }
}
