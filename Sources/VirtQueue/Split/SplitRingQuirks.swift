/// What the kernel's vringh does with a split ring and no other device side of this project (drivers/vhost/vringh.c): its
/// twin does the same. Without a quirk a ring is what the standard says.
@usableFromInline
package struct SplitRingQuirks: Hashable, Sendable {
    /// How far the used index is behind the next avail entry where nothing is in flight: vringh keeps two indices, and a
    /// base that is set in a running ring moves one of them.
    @usableFromInline package var usedLag: UInt16
    /// An avail index further on than the ring has descriptors is believed, and every entry up to it taken once more
    /// (`__vringh_get_head` has no check). Without it such an index ends the queue.
    @usableFromInline package var takesAnyAvailIndex: Bool
    /// The descriptor table may be at any address: vringh copies each descriptor, and vhost asks for an aligned avail and used
    /// ring alone (`vhost_vring_set_addr`). Without it such a table ends the queue.
    @usableFromInline package var takesAnyTableAddress: Bool

    /// No quirk, but for those that are given.
    @usableFromInline
    package init(usedLag: UInt16 = 0, takesAnyAvailIndex: Bool = false, takesAnyTableAddress: Bool = false) {
        self.usedLag = usedLag
        self.takesAnyAvailIndex = takesAnyAvailIndex
        self.takesAnyTableAddress = takesAnyTableAddress
    }
}
