internal import GuestMemory

/// A memory section as the device gets it: the whole host pages of it, at the IOVA that is its guest address.
struct MemoryMap: Hashable {
    /// The section as the flat view has it.
    let section: MemorySection
    /// What goes into the device's IOTLB.
    let entry: TranslationEntry

    /// The bytes that the device sees.
    var byteCount: ByteCount { entry.range.byteCount ?? ByteCount(rawValue: .max) }

    /// Why a section has no map.
    enum Omission: Error, Hashable {
        /// There is no memory behind it.
        case device
        /// No whole host page lies in it.
        case belowOnePage
        /// Its guest address and its host address differ within a page: no page can stand for both.
        case misaligned
    }

    /// The map of `section`, or why there is none.
    ///
    /// The start rounds up and the end down to whole pages: a device can be given no less than a page, and
    /// must not be given a neighbour's bytes.
    static func of(_ section: MemorySection, pageSize: ByteCount) throws(Omission) -> MemoryMap {
        guard case .memory(let host) = section.backing else { throw .device }
        let mask = pageSize.rawValue - 1
        let (first, last) = (section.range.first.rawValue, section.range.last.rawValue)
        guard host.rawValue & mask == first & mask else { throw .misaligned }
        let (roundedFirst, overflow) = (first & ~mask).addingReportingOverflow(
            first & mask == 0 ? 0 : mask + 1)
        // The last address whose page is whole; none where the end lies in the very first page.
        let (roundedLast, underflow) =
            last & mask == mask ? (last, false) : (last & ~mask).subtractingReportingOverflow(1)
        guard !overflow, !underflow,
            let range = AddressRange<IOVirtualAddress>(
                first: .init(rawValue: roundedFirst), last: .init(rawValue: roundedLast))
        else { throw .belowOnePage }
        let entry = TranslationEntry(
            range: range, host: HostAddress(rawValue: host.rawValue + (roundedFirst - first)),
            access: section.isReadOnly ? .read : .readWrite)
        return MemoryMap(section: section, entry: entry)
    }

    /// This map without its last page, and that page; `nil` where there is only one page.
    func splittingLastPage(_ pageSize: ByteCount) -> (rest: TranslationEntry, page: TranslationEntry)? {
        let first = IOVirtualAddress(rawValue: entry.range.last.rawValue - (pageSize.rawValue - 1))
        guard entry.range.first < first,
            let rest = AddressRange<IOVirtualAddress>(
                first: entry.range.first, last: .init(rawValue: first.rawValue - 1)),
            let page = AddressRange<IOVirtualAddress>(first: first, last: entry.range.last)
        else { return nil }
        let host = HostAddress(rawValue: entry.host.rawValue + (first.rawValue - entry.range.first.rawValue))
        return (
            TranslationEntry(range: rest, host: entry.host, access: entry.access),
            TranslationEntry(range: page, host: host, access: entry.access)
        )
    }
}

extension MemorySection {
    /// The section as errors name it.
    var title: String { "\(regionName) \(range)" }
}
