package import GuestMemory
internal import Synchronization

/// A used ring's index as the device publishes it, read from guest memory while the device writes it.
///
/// It says that the device has given a frame to the guest without asking the guest's driver, whose thread may be
/// late. Any thread.
@safe
package struct UsedIndex: ~Copyable {
    private let cell: UnsafeMutablePointer<Atomic<UInt16>>

    /// Where `struct virtq_used` has its index (virtio 1.2, section 2.7.8).
    private static let offset = 2

    /// The index of the used ring at `ring`; `nil` where no memory stands there. `memory` must outlive the value.
    package init?(ring: IOVirtualAddress, in memory: PCMemoryLayout) {
        // IOVA is the guest physical address.
        guard
            let range = AddressRange<GuestPhysicalAddress>(
                first: .init(rawValue: ring.rawValue), byteCount: ByteCount(4)),
            let host = memory.hostRange(of: range, access: .readWrite),
            let base = unsafe UnsafeMutableRawPointer(bitPattern: UInt(host.first.rawValue))
        else { return nil }
        unsafe cell = (base + Self.offset).assumingMemoryBound(to: Atomic<UInt16>.self)
    }

    /// The index now. Everything that the device did before it is visible.
    package var value: UInt16 { UInt16(littleEndian: unsafe cell.pointee.load(ordering: .acquiring)) }
}
