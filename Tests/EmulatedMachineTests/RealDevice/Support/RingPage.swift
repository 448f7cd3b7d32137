import Glibc
import GuestMemory
import Synchronization
import SystemPackage
import TestSupport
import Testing
import VhostVDPA
import Virtio

/// One page of memory with a transmit queue of sixteen descriptors and a frame in it, and an empty receive queue:
/// all a device needs to show which memory it works on.
@safe
final class RingPage {
    static let size = 4096
    private static let (avail, used, frame) = (256, 512, 1024)
    /// The receive queue's distance from the transmit queue.
    private static let receive: UInt64 = 2048

    let block: RAMBlock
    private let base: UnsafeMutableRawPointer

    init(_ name: String) throws {
        block = try RAMBlock.allocate(name: name, byteCount: ByteCount(Self.size), logger: .quiet)
        unsafe base = block.base
        unsafe memset(base, 0, Self.size)
    }

    /// The page at `address` of the device's.
    func entry(at address: UInt64) throws -> TranslationEntry {
        let range = try #require(
            AddressRange<IOVirtualAddress>(
                first: .init(rawValue: address), byteCount: ByteCount(Self.size)))
        return TranslationEntry(range: range, host: block.hostRange.first, access: .readWrite)
    }

    /// The physical address of the page.
    func physicalAddress() throws -> UInt64 {
        try ProcessFiles.physicalAddress(of: block.hostRange.first.rawValue)
    }

    /// Empties the rings.
    func clear() { unsafe memset(base, 0, Self.frame) }

    /// Makes the frame available once, for a device that finds this page at `address`.
    func transmit(from address: UInt64) {
        unsafe base.storeBytes(of: address + UInt64(Self.frame), as: UInt64.self)
        unsafe base.storeBytes(of: 12 + 60, toByteOffset: 8, as: UInt32.self)
        unsafe ringIndex(Self.avail).pointee.wrappingAdd(1, ordering: .releasing)
    }

    /// How many frames the device has taken from here.
    var usedCount: UInt16 { unsafe ringIndex(Self.used).pointee.load(ordering: .acquiring) }

    /// Sets both queues up on `device`, which finds this page at `address`.
    func setUp(on device: VhostVDPADevice, at address: UInt64) throws {
        for (vring, base) in [(VringIndex(0), address + Self.receive), (1, address)] {
            try device.setSize(16, of: vring)
            try device.setBase(.zero, of: vring)
            try device.setAddresses(
                descriptors: .init(rawValue: base), avail: .init(rawValue: base + UInt64(Self.avail)),
                used: .init(rawValue: base + UInt64(Self.used)), of: vring)
        }
    }

    private func ringIndex(_ ring: Int) -> UnsafeMutablePointer<Atomic<UInt16>> {
        unsafe (base + ring + 2).assumingMemoryBound(to: Atomic<UInt16>.self)
    }
}
