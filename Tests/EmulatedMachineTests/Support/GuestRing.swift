import EmulatedMachine
import GuestMemory
import TestSupport
import VirtQueue
import VirtioNet

/// A queue's ring in a machine's memory, changed behind the backs of driver and device.
struct GuestRing {
    private let ring: RawRing
    private let view: FlatView

    /// The ring of queue `index` of `machine`; `nil` where it is in no memory.
    init?(_ machine: EmulatedMachine, _ index: Int) throws {
        let layout = try machine.driver.layout(index, size: machine.driverConfiguration.queueSize)
        let address = layout.addresses.descriptorArea
        let byteCount = try RingGeometry(size: layout.size).byteCount
        guard
            let range = AddressRange(
                first: GuestPhysicalAddress(rawValue: address.rawValue), byteCount: ByteCount(byteCount)),
            let host = machine.memory.hostRange(of: range, access: .readWrite),
            let block = unsafe UnsafeMutableRawPointer(bitPattern: UInt(host.first.rawValue))
        else { return nil }
        ring = try unsafe RawRing(existing: block, size: layout.size, address: address)
        precondition(ring.layout == layout, "the driver lays its rings out in blocks")
        view = machine.memory.addressSpace.view
    }

    /// The used index; `nil` where the ring is in no memory.
    var usedIndex: UInt16? { UsedIndex(of: ring.layout, in: view)?.value }

    /// Whether every chain that the ring has room for is the device's.
    var isFull: Bool { usedIndex.map { ring.availIndex &- $0 == ring.size } ?? false }

    /// Moves the avail index further than any driver can.
    func jumpIndex() { ring.availIndex = ring.availIndex &+ ring.size &+ 1 }

    /// Moves the used index further than any device may.
    func jumpUsedIndex() {
        guard let usedIndex else { return }
        ring.usedIndex = usedIndex &+ ring.size &+ 1
    }

    /// Names in every entry a descriptor that the table does not have.
    func ruinEntries() {
        for entry in 0..<ring.size { ring.setAvailEntry(.max, at: entry) }
    }
}
