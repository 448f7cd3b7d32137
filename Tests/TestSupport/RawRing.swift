package import GuestMemory
internal import Synchronization
package import VirtQueue

/// A split ring written by hand, with nothing that keeps its values sane (virtio 1.2, section 2.7).
///
/// Every access is one atomic access, so that several threads may write at the same time.
@safe
package struct RawRing: @unchecked Sendable {
    package struct Flags: OptionSet {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }
        package static let next = Flags(rawValue: 1)
        package static let write = Flags(rawValue: 2)
        package static let indirect = Flags(rawValue: 4)
    }

    package let size: UInt16
    package let geometry: RingGeometry
    package let layout: RingLayout
    private let memory: UnsafeMutableRawPointer

    /// A new ring of `size` in the block at `memory`, which the device finds at `address`.
    package init(size: UInt16, memory: UnsafeMutableRawPointer, address: IOVirtualAddress) throws {
        try unsafe self.init(existing: memory, size: size, address: address)
        clear()
    }

    /// The ring of `size` that stands in the block at `memory` already.
    package init(existing memory: UnsafeMutableRawPointer, size: UInt16, address: IOVirtualAddress) throws {
        self.size = size
        geometry = try RingGeometry(size: size)
        layout = geometry.layout(at: address)
        unsafe self.memory = memory
    }

    /// Zeroes the ring.
    package func clear() {
        for offset in stride(from: 0, to: geometry.byteCount, by: 8) { store(0 as UInt64, at: offset) }
    }

    // MARK: The fields

    package func setAddress(_ value: UInt64, of descriptor: Int) { store(value, at: 16 * descriptor) }
    package func setLength(_ value: UInt32, of descriptor: Int) { store(value, at: 16 * descriptor + 8) }
    package func setFlags(_ value: UInt16, of descriptor: Int) { store(value, at: 16 * descriptor + 12) }
    package func setNext(_ value: UInt16, of descriptor: Int) { store(value, at: 16 * descriptor + 14) }

    package func setDescriptor(
        _ index: Int, _ address: UInt64, _ length: UInt32, _ flags: Flags = [], next: UInt16 = 0
    ) {
        setAddress(address, of: index)
        setLength(length, of: index)
        setFlags(flags.rawValue, of: index)
        setNext(next, of: index)
    }

    package var availFlags: UInt16 {
        get { load(geometry.driverAreaOffset) }
        nonmutating set { store(newValue, at: geometry.driverAreaOffset) }
    }
    package var availIndex: UInt16 {
        get { load(geometry.driverAreaOffset + 2) }
        nonmutating set { store(newValue, at: geometry.driverAreaOffset + 2) }
    }
    package func setAvailEntry(_ value: UInt16, at index: UInt16) {
        store(value, at: geometry.driverAreaOffset + 4 + 2 * Int(index % size))
    }
    package var usedEvent: UInt16 {
        get { load(geometry.driverAreaOffset + 4 + 2 * Int(size)) }
        nonmutating set { store(newValue, at: geometry.driverAreaOffset + 4 + 2 * Int(size)) }
    }

    package var usedFlags: UInt16 {
        get { load(geometry.deviceAreaOffset) }
        nonmutating set { store(newValue, at: geometry.deviceAreaOffset) }
    }
    package var usedIndex: UInt16 {
        get { load(geometry.deviceAreaOffset + 2) }
        nonmutating set { store(newValue, at: geometry.deviceAreaOffset + 2) }
    }
    package var availEvent: UInt16 {
        get { load(geometry.deviceAreaOffset + 4 + 8 * Int(size)) }
        nonmutating set { store(newValue, at: geometry.deviceAreaOffset + 4 + 8 * Int(size)) }
    }
    package func usedElement(_ index: UInt16) -> (head: UInt32, byteCount: UInt32) {
        let offset = geometry.deviceAreaOffset + 4 + 8 * Int(index % size)
        return (
            unsafe cell(offset, Atomic<UInt32>.self).pointee.load(ordering: .acquiring),
            unsafe cell(offset + 4, Atomic<UInt32>.self).pointee.load(ordering: .acquiring)
        )
    }
    package func setUsedElement(_ value: UInt64, at index: UInt16) {
        store(UInt32(truncatingIfNeeded: value), at: geometry.deviceAreaOffset + 4 + 8 * Int(index % size))
        store(
            UInt32(truncatingIfNeeded: value >> 32), at: geometry.deviceAreaOffset + 8 + 8 * Int(index % size)
        )
    }

    /// Makes the chain at `head` available.
    package func offer(_ head: UInt16) {
        let index = availIndex
        setAvailEntry(head, at: index)
        availIndex = index &+ 1
    }

    // MARK: Memory

    private func cell<T: ~Copyable>(_ offset: Int, _: T.Type) -> UnsafeMutablePointer<T> {
        unsafe (memory + offset).assumingMemoryBound(to: T.self)
    }
    private func load(_ offset: Int) -> UInt16 {
        unsafe cell(offset, Atomic<UInt16>.self).pointee.load(ordering: .acquiring)
    }
    private func store(_ value: UInt16, at offset: Int) {
        unsafe cell(offset, Atomic<UInt16>.self).pointee.store(value, ordering: .releasing)
    }
    private func store(_ value: UInt32, at offset: Int) {
        unsafe cell(offset, Atomic<UInt32>.self).pointee.store(value, ordering: .releasing)
    }
    private func store(_ value: UInt64, at offset: Int) {
        unsafe cell(offset, Atomic<UInt64>.self).pointee.store(value, ordering: .releasing)
    }
}
