/// A queue, as far as a generator has to know it: where its ring is, and how far the driver's side stands before the
/// device's.
struct GeneratorQueue {
    /// Where the device takes a ring's areas for.
    enum Place: Hashable {
        /// Nowhere: address 0.
        case unset
        /// In the generator's own memory for rings (``GeneratorRings``).
        case home
        /// Elsewhere; the lowest and the highest byte of its areas.
        case foreign(first: UInt64, last: UInt64)
    }

    /// The ring that an enable from 0 to 1 has made the device's.
    struct Ring: Hashable {
        var size: UInt32
        var place: Place
    }

    /// Set by SET_VRING_NUM; survives a reset.
    var size: UInt32 = 0
    /// Set by SET_VRING_ADDR; the device's goes with a reset.
    var place = Place.unset
    var isEnabled = false
    var ring: Ring?
    /// The size that the areas in memory were written for.
    var writtenSize: UInt16 = 0
    /// The avail index in memory.
    var avail: UInt16 = 0
    /// The lowest position that the device can have; `nil` where it is not known.
    var low: UInt16? = 0
    var kick: ScriptName?
    var call: ScriptName?

    /// Whether the ring in memory is of the size and at the position where the device looks.
    var isOrderly: Bool {
        guard let ring else { return true }
        guard ring.place == .home else { return true }
        guard let low, ring.size == UInt32(writtenSize) else { return false }
        return UInt16(avail &- low) <= writtenSize
    }

    /// How many chains of two descriptors the ring has room for.
    var room: Int {
        guard let low, writtenSize > 0 else { return 0 }
        return max(0, Int(writtenSize) / 2 - Int(avail &- low))
    }

    mutating func reset() {
        place = .unset
        isEnabled = false
        ring = nil
        low = 0
    }

    /// With `again` an enable is one of a queue that is enabled already, too: virtio-pci's queue_enable is such.
    mutating func enable(_ isOn: Bool, again: Bool) {
        if isOn, again || !isEnabled, size > 0, size <= 0xffff, size.nonzeroBitCount == 1 {
            ring = Ring(size: size, place: place)
        } else if isOn, !isEnabled, ring == nil {
            // The size may be one that an earlier file has left.
            ring = Ring(size: 0, place: place)
        }
        isEnabled = isOn
    }
}
