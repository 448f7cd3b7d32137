import CIntervalTree
import GuestMemory

/// A book of ranges that do not overlap, as the benchmark asks all of them.
protocol Book: AnyObject {
    static var name: String { get }
    init()
    /// Adds the page of this number, with a host address.
    func insert(_ page: UInt64)
    /// The host address behind an address.
    func find(_ address: UInt64) -> UInt64
    /// Removes `count` pages from `page` on and gives how many went.
    func remove(_ page: UInt64, count: UInt64) -> Int
}

/// Every entry is one page with a hole of a page behind it, so that nothing could be merged.
enum Layout {
    static let pageBytes: UInt64 = 4096
    static func first(_ page: UInt64) -> UInt64 { page * 2 * pageBytes }
    static func last(_ page: UInt64) -> UInt64 { first(page) + pageBytes - 1 }
    static func host(_ page: UInt64) -> UInt64 { 0x7f00_0000_0000 + page * pageBytes }
}

/// The project's own.
final class IntervalMapBook: Book {
    static let name = "IOTLB"
    private var iotlb = IOTLB()

    init() {}

    func insert(_ page: UInt64) {
        let range = Self.range(page, page)
        let entry = TranslationEntry(
            range: range, host: HostAddress(rawValue: Layout.host(page)), access: .readWrite)
        guard (try? iotlb.insert(entry)) != nil else { fatalError("page \(page) overlaps") }
    }

    func find(_ address: UInt64) -> UInt64 {
        iotlb.entry(containing: IOVirtualAddress(rawValue: address))?.host.rawValue ?? 0
    }

    func remove(_ page: UInt64, count: UInt64) -> Int {
        iotlb.removeAll(touching: Self.range(page, page + count - 1)).count
    }

    private static func range(_ low: UInt64, _ high: UInt64) -> AddressRange<IOVirtualAddress> {
        let first = IOVirtualAddress(rawValue: Layout.first(low))
        let last = IOVirtualAddress(rawValue: Layout.last(high))
        guard let range = AddressRange(first: first, last: last) else { fatalError("an empty range") }
        return range
    }
}

/// The C library's red-black tree, one allocation an entry, as the kernel's IOTLB has.
final class TreeBook: Book {
    static let name = "red-black tree in C"
    private let tree = interval_tree_make()

    init() {}

    deinit { interval_tree_free(tree) }

    func insert(_ page: UInt64) {
        let isNew = interval_tree_insert(tree, Layout.first(page), Layout.last(page), Layout.host(page))
        guard isNew == 1 else { fatalError("page \(page) overlaps") }
    }

    func find(_ address: UInt64) -> UInt64 {
        var value: UInt64 = 0
        return interval_tree_find(tree, address, &value) == 1 ? value : 0
    }

    func remove(_ page: UInt64, count: UInt64) -> Int {
        interval_tree_remove(tree, Layout.first(page), Layout.last(page + count - 1))
    }
}

/// A sorted array: the look-up to beat, and what every insertion in the middle costs there.
final class ArrayBook: Book {
    static let name = "sorted array"
    private var entries: [(first: UInt64, last: UInt64, host: UInt64)] = []

    init() {}

    func insert(_ page: UInt64) {
        let first = Layout.first(page)
        entries.insert((first, Layout.last(page), Layout.host(page)), at: lowerBound(first))
    }

    func find(_ address: UInt64) -> UInt64 {
        let index = lowerBound(address)
        guard index < entries.count, entries[index].first <= address else { return 0 }
        return entries[index].host
    }

    func remove(_ page: UInt64, count: UInt64) -> Int {
        let low = lowerBound(Layout.first(page))
        var high = low
        let last = Layout.last(page + count - 1)
        while high < entries.count, entries[high].first <= last { high += 1 }
        entries.removeSubrange(low..<high)
        return high - low
    }

    /// The first entry that does not end below `address`.
    private func lowerBound(_ address: UInt64) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].last < address { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
