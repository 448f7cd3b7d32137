/// An entry that would share addresses with one that is already there.
///
/// Replacing silently is what a vhost IOTLB must not do: the kernel answers EEXIST to such an update.
public struct IntervalOverlap<Address: MemoryAddress>: Error, Hashable, Sendable, CustomStringConvertible {
    /// The range that was to be inserted.
    public let requested: AddressRange<Address>
    /// The lowest range in the map that shares addresses with it.
    public let existing: AddressRange<Address>

    /// Makes an error of the two ranges.
    @inlinable
    public init(requested: AddressRange<Address>, existing: AddressRange<Address>) {
        self.requested = requested
        self.existing = existing
    }

    /// Both ranges and what to do, on one line.
    public var description: String {
        "\(requested) overlaps \(existing), which is already mapped; remove that first"
    }
}
