internal import GuestMemory

/// Memory that a script's process has, page by page.
struct GeneratorMemory {
    /// What a page permits.
    enum Page: Hashable {
        case hole, none, read, write
    }

    let kind: ScriptMemoryKind
    var pages: [Page]
    /// An UPDATE that the kernel may have taken names it.
    var isMapped = false

    init(byteCount: ByteCount, kind: ScriptMemoryKind) {
        self.kind = kind
        pages = Array(
            repeating: kind == .readOnly ? .read : .write,
            count: Int(byteCount.rawValue) / ScriptMemory.pageByteCount)
    }

    var byteCount: UInt64 { UInt64(pages.count * ScriptMemory.pageByteCount) }

    /// The pages that a range touches; `nil` where it leaves the memory.
    func indexes(_ offset: UInt64, _ size: UInt64) -> ClosedRange<Int>? {
        guard size > 0, offset < byteCount, size <= byteCount - offset else { return nil }
        let page = UInt64(ScriptMemory.pageByteCount)
        return Int(offset / page)...Int((offset + size - 1) / page)
    }

    /// Whether all of it can be read, or written.
    func permits(_ offset: UInt64, _ size: UInt64, writing: Bool) -> Bool {
        guard let indexes = indexes(offset, size) else { return false }
        return pages[indexes].allSatisfy { $0 == .write || !writing && $0 == .read }
    }
}

extension GeneratorMemory {
    /// Where the piece of memory ends that an address in it belongs to, or that lies behind the hole it is in; `nil` where
    /// there is none any more.
    func pieceEnd(at offset: UInt64) -> UInt64? {
        let page = UInt64(ScriptMemory.pageByteCount)
        guard let first = pages.indices.first(where: { UInt64($0) >= offset / page && pages[$0] != .hole })
        else {
            return nil
        }
        let end = pages[first...].firstIndex { $0 != pages[first] } ?? pages.count
        return UInt64(end) * page
    }
}
