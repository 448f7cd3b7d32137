internal import GuestMemory
internal import LinuxHost
internal import SystemPackage

/// The memory that one UPDATE gives to the device: windows on what is shared of it.
final class HeldMemory: Sendable {
    /// A part of the client's addresses that the device has.
    private struct Piece: Sendable {
        let client: Range<UInt64>
        /// What the window permits, which was mapped as the area was then.
        let access: MemoryAccess
        /// Where it is within reach: a second mapping of it, or a copy. Neither where the client's own mapping is.
        let window: MemoryWindow?
        let copy: CopiedMemory?

        func address(of host: UInt64) -> HostAddress {
            window?.address(of: host) ?? copy?.address(of: host) ?? HostAddress(rawValue: host)
        }
    }

    /// Lowest first.
    private let pieces: [Piece]
    /// What is in no piece is nobody's, instead of the client's own.
    private let hasHoles: Bool

    /// Takes windows on the shared areas of `range`, the client's addresses. What is private, or cannot be mapped
    /// again, is left to the client's own mapping; so is what is no area, unless there can be such (`hasHoles`, and then
    /// private areas are none of the device's). Of another process it is copied: its addresses mean nothing here. What it takes from a file later is counted in `vanished`.
    init(
        _ range: Range<UInt64>, areas: ProcessMappings, of process: CallerProcess, hasHoles: Bool = false,
        vanished: VanishedPages? = nil
    ) {
        let page = UInt64(HostPage.byteCount)
        let isForeign = process.isForeign
        self.hasHoles = hasHoles || isForeign
        pieces = areas.areas.compactMap { area in
            let wanted = range.clamped(to: area.start..<area.end)
            guard !wanted.isEmpty else { return nil }
            // An area is whole pages, so the pages of a part of it are in it.
            let first = wanted.lowerBound - wanted.lowerBound % page
            let pages = first..<first + (wanted.upperBound - first + page - 1) / page * page
            let window = process.window(on: pages, of: area, vanished: vanished)
            let copy = window == nil && (area.isShared || !hasHoles) ? process.copy(of: pages) : nil
            return window != nil || copy != nil || hasHoles && !isForeign
                ? Piece(
                    client: pages, access: isForeign ? area.access : .readWrite, window: window, copy: copy)
                : nil
        }
    }

    /// Makes every page of another process's windows present, as a pin does: EFAULT where one is not to be had.
    func populate(for access: MemoryAccess) throws(Errno) {
        for piece in pieces {
            try piece.window?.populate(
                isWritable: access.contains(.write) && piece.access.contains(.write))
        }
    }

    /// Adds `entry` to `parts`, its host addresses in the windows; in parts where one window does not have all of it, and
    /// without its holes.
    func reach(_ entry: TranslationEntry, into parts: inout [TranslationEntry]) {
        var host = entry.host.rawValue
        let last = host + (entry.range.last.rawValue - entry.range.first.rawValue)
        while true {
            let next = pieces.first { $0.client.upperBound > host }
            let piece = next.flatMap { $0.client.lowerBound <= host ? $0 : nil }
            let end = min(last, (piece?.client.upperBound ?? next?.client.lowerBound).map { $0 - 1 } ?? last)
            let offset = host - entry.host.rawValue
            if piece != nil || !hasHoles,
                let range = AddressRange(
                    first: IOVirtualAddress(rawValue: entry.range.first.rawValue + offset),
                    last: IOVirtualAddress(rawValue: entry.range.first.rawValue + offset + (end - host)))
            {
                parts.append(
                    TranslationEntry(
                        range: range, host: piece?.address(of: host) ?? HostAddress(rawValue: host),
                        access: piece.map { entry.access.intersection($0.access) } ?? entry.access))
            }
            guard end < last else { return }
            host = end + 1
        }
    }
}
