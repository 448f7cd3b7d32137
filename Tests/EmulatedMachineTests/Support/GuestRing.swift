import EmulatedMachine
import GuestMemory
import Synchronization
import VirtQueue
import VirtioNet

/// A hand that reaches into a queue's ring, behind the backs of driver and device.
@safe
struct GuestRing {
    private let avail: UnsafeMutableRawPointer
    private let used: UnsafeMutableRawPointer
    private let layout: RingLayout
    private let view: FlatView
    private let size: Int

    /// The ring of queue `index` of `machine`.
    init?(_ machine: EmulatedMachine, _ index: Int) throws {
        layout = try machine.driver.layout(index, size: machine.driverConfiguration.queueSize)
        size = Int(layout.size)
        guard let avail = unsafe Self.host(layout.addresses.driverArea, 4 + 2 * size, machine),
            let used = unsafe Self.host(layout.addresses.deviceArea, 4 + 8 * size, machine)
        else { return nil }
        unsafe self.avail = avail
        unsafe self.used = used
        view = machine.memory.addressSpace.view
    }

    private static func host(
        _ address: IOVirtualAddress, _ byteCount: Int, _ machine: EmulatedMachine
    ) -> UnsafeMutableRawPointer? {
        let first = GuestPhysicalAddress(rawValue: address.rawValue)
        guard let range = AddressRange(first: first, byteCount: ByteCount(byteCount)),
            let host = machine.memory.hostRange(of: range, access: .readWrite)
        else { return nil }
        return unsafe UnsafeMutableRawPointer(bitPattern: UInt(host.first.rawValue))
    }

    private var availIndex: UInt16 {
        unsafe (avail + 2).assumingMemoryBound(to: Atomic<UInt16>.self).pointee.load(ordering: .acquiring)
    }

    /// The used index; `nil` where the ring is in no memory.
    var usedIndex: UInt16? { UsedIndex(of: layout, in: view)?.value }

    /// Whether every chain that the ring has room for is the device's.
    var isFull: Bool {
        guard let usedIndex else { return false }
        return Int(availIndex &- usedIndex) == size
    }

    private func store(_ value: UInt16, at offset: Int) {
        unsafe (avail + offset).assumingMemoryBound(to: Atomic<UInt16>.self).pointee
            .store(value, ordering: .releasing)
    }

    /// Moves the avail index further than any driver can.
    func jumpIndex() {
        store(availIndex &+ UInt16(size) &+ 1, at: 2)
    }

    /// Moves the used index further than any device may.
    func jumpUsedIndex() {
        guard let usedIndex else { return }
        unsafe (used + 2).assumingMemoryBound(to: Atomic<UInt16>.self).pointee
            .store(usedIndex &+ UInt16(size) &+ 1, ordering: .releasing)
    }

    /// Names in every entry a descriptor that the table does not have.
    func ruinEntries() {
        for entry in 0..<size { store(.max, at: 4 + 2 * entry) }
    }
}
