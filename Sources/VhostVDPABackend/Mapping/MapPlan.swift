internal import GuestMemory

/// Which UPDATEs of a change go into its batch, and which one after it (``MapVerification``).
struct MapPlan {
    let batched: [(map: MemoryMap, entry: TranslationEntry)]
    let verifying: (map: MemoryMap, entry: TranslationEntry)?

    /// Plans `added`; without anything to hold back safely, all of it is batched.
    init(
        removing removed: [MemoryMap], adding added: [MemoryMap], pageSize: ByteCount,
        verification: MapVerification
    ) {
        let all = added.map { (map: $0, entry: $0.entry) }
        let candidates = added.indices.filter { index in
            !removed.contains { $0.entry.range.overlaps(added[index].entry.range) }
        }
        guard verification == .always,
            let index = candidates.min(by: { added[$0].byteCount < added[$1].byteCount })
        else {
            batched = all
            verifying = nil
            return
        }
        let map = added[index]
        var rest = all
        // One page: each contiguous run that is mapped outside a batch costs a `set_map` of the whole table.
        if let split = map.splittingLastPage(pageSize) {
            rest[index].entry = split.rest
            verifying = (map, split.page)
        } else {
            rest.remove(at: index)
            verifying = (map, map.entry)
        }
        batched = rest
    }
}
