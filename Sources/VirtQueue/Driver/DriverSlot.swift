/// What the driver remembers of a descriptor: its place in the free list, or in the chain that uses it.
///
/// The ring holds the same links, but there the device could change them.
@usableFromInline
struct DriverSlot: BitwiseCopyable {
    /// The caller's name for the chain; in a chain's head.
    @usableFromInline var token: UInt32 = 0
    /// The bytes the device may write; in a chain's head.
    @usableFromInline var writableBytes: UInt32 = 0
    /// The next descriptor of the free list or of the chain.
    @usableFromInline var next: UInt16
    /// The chain's last descriptor; in a chain's head.
    @usableFromInline var last: UInt16 = 0
    /// The chain's number of descriptors; zero in a descriptor that is not the head of a chain in flight.
    @usableFromInline var count: UInt16 = 0

    @inlinable
    init(next: UInt16 = 0) { self.next = next }
}
