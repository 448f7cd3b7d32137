import GuestMemory
import Testing

/// The guest physical range from `first` to `last`, both included.
func guest(_ first: UInt64, _ last: UInt64) throws -> AddressRange<GuestPhysicalAddress> {
    try #require(AddressRange(first: .init(rawValue: first), last: .init(rawValue: last)))
}

/// The I/O virtual range from `first` to `last`, both included.
func iova(_ first: UInt64, _ last: UInt64) throws -> AddressRange<IOVirtualAddress> {
    try #require(AddressRange(first: .init(rawValue: first), last: .init(rawValue: last)))
}

extension GuestPhysicalAddress {
    /// The address of page `page`, pages being 4 KiB.
    static func page(_ page: Int) -> Self { Self(rawValue: UInt64(page) << 12) }
}

extension ByteCount {
    /// The size of `count` pages of 4 KiB.
    static func pages(_ count: Int) -> Self { .kibibytes(4 * count) }
}
