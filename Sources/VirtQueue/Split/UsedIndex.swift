public import GuestMemory

/// A split ring's used index as the device publishes it, read from guest memory (virtio 1.2, section 2.7.8).
///
/// It says how many chains the device has returned, modulo 2¹⁶, without asking the driver, whose thread may be late, or
/// the device, which may not know any more. Any thread, also while the device writes it.
@safe
public struct UsedIndex: ~Copyable {
    private let used: RingMemory
    /// Keeps the memory mapped, where it is the value's to keep.
    private let view: FlatView?

    /// The index of the ring at `layout`, where I/O virtual is guest physical; `nil` where `view` has no memory for it
    /// that a device can write.
    public init?(of layout: RingLayout, in view: FlatView) {
        guard
            let range = AddressRange(
                first: GuestPhysicalAddress(rawValue: layout.addresses.deviceArea.rawValue),
                byteCount: ByteCount(SplitRingNumbers.elementsOffset)),
            let host = view.hostRange(of: range, access: .readWrite),
            let used = Self.memory(at: host.first)
        else { return nil }
        self.used = used
        self.view = view
    }

    /// The index of the used ring at `usedRing`, whose first four bytes the caller keeps mapped as long as the value
    /// lives; `nil` where it is not aligned to 4.
    @unsafe
    public init?(usedRing: HostAddress) {
        guard let used = Self.memory(at: usedRing) else { return nil }
        self.used = used
        view = nil
    }

    private static func memory(at address: HostAddress) -> RingMemory? {
        guard address.rawValue & 3 == 0,
            let base = unsafe UnsafeMutableRawPointer(bitPattern: UInt(address.rawValue))
        else { return nil }
        return unsafe RingMemory(base)
    }

    /// The index now. Everything that the device did before it is visible.
    public var value: UInt16 { used.load16Acquiring(SplitRingNumbers.indexOffset) }
}
