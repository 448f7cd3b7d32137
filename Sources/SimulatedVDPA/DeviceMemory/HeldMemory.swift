internal import GuestMemory
internal import LinuxHost

/// The memory that one UPDATE gives to the device: windows on what is shared of it.
final class HeldMemory: Sendable {
    /// Lowest first.
    private let windows: [MemoryWindow]

    /// Takes windows on the shared areas of `range`, the client's addresses. What is private, or cannot be mapped
    /// again, is left to the client's own mapping.
    init(_ range: Range<UInt64>, areas: ProcessMappings) {
        let page = UInt64(HostPage.byteCount)
        windows = areas.areas.compactMap { area in
            let wanted = range.clamped(to: area.start..<area.end)
            guard area.isShared, !wanted.isEmpty else { return nil }
            // An area is whole pages, so the pages of a part of it are in it.
            let first = wanted.lowerBound - wanted.lowerBound % page
            return MemoryWindow(first..<first + (wanted.upperBound - first + page - 1) / page * page)
        }
    }

    /// Adds `entry` to `parts`, its host addresses in the windows; in parts where one window does not have all of it.
    func reach(_ entry: TranslationEntry, into parts: inout [TranslationEntry]) {
        var host = entry.host.rawValue
        let last = host + (entry.range.last.rawValue - entry.range.first.rawValue)
        while true {
            let next = windows.first { $0.client.upperBound > host }
            let window = next.flatMap { $0.client.lowerBound <= host ? $0 : nil }
            let end = min(last, (window?.client.upperBound ?? next?.client.lowerBound).map { $0 - 1 } ?? last)
            let offset = host - entry.host.rawValue
            if let range = AddressRange(
                first: IOVirtualAddress(rawValue: entry.range.first.rawValue + offset),
                last: IOVirtualAddress(rawValue: entry.range.first.rawValue + offset + (end - host)))
            {
                parts.append(
                    TranslationEntry(
                        range: range, host: window?.address(of: host) ?? HostAddress(rawValue: host),
                        access: entry.access))
            }
            guard end < last else { return }
            host = end + 1
        }
    }
}
