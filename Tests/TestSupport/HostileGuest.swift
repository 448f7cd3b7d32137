internal import Glibc
package import GuestMemory
package import LinuxHost
internal import VirtQueue
package import Virtio
internal import VirtioDevice
package import VirtioNet

/// A device and a guest without a driver: rings, tables and buffers are the test's to write.
///
/// The device's IOTLB has the middle of a block of memory. Before and behind it lie guards, filled with a pattern
/// that nobody may touch, and a page that the device may only read.
package final class HostileGuest {
    package static let size: UInt16 = 8
    package static let mebibyte = 1 << 20
    /// Where the mapped memory starts and ends for the device.
    package static let base: UInt64 = 0x1000_0000
    package static let end: UInt64 = base + UInt64(mebibyte)
    /// A page that the device may read and not write.
    package static let readOnly: UInt64 = 0x7000_0000
    package static let bufferLength: UInt32 = 2048
    /// A frame of 60 bytes behind its header.
    package static let frameLength: UInt32 = 72
    private static let guardByte: UInt8 = 0xa5

    package let block: RAMBlock
    package let rings: [RawRing]
    package let device: any NetworkDataPath
    package let kicks: [SharedEventFD]
    package let events: DeviceEvents

    /// A guest of `device`, which reports to `events`; it ends with the guest.
    package init(device: any NetworkDataPath, events: DeviceEvents) throws {
        self.device = device
        self.events = events
        block = try RAMBlock.allocate(name: "hostile", byteCount: .mebibytes(3), pages: .base)
        let mapped = unsafe block.base + Self.mebibyte
        rings = try (0..<2).map { queue in
            let offset = queue * 0x1_0000
            return unsafe try RawRing(
                size: Self.size, memory: mapped + offset,
                address: IOVirtualAddress(rawValue: Self.base + UInt64(offset)))
        }
        kicks = try [SharedEventFD(), SharedEventFD()]
        unsafe memset(block.base, Int32(Self.guardByte), Self.mebibyte)
        unsafe memset(block.base + 2 * Self.mebibyte, Int32(Self.guardByte), Self.mebibyte)
    }

    deinit { device.shutdown() }

    /// What the device's IOTLB holds.
    package var entries: [TranslationEntry] {
        func entry(_ first: UInt64, _ byteCount: Int, _ offset: Int, _ access: MemoryAccess)
            -> TranslationEntry?
        {
            AddressRange(first: IOVirtualAddress(rawValue: first), byteCount: ByteCount(byteCount)).map {
                TranslationEntry(
                    range: $0,
                    host: HostAddress(rawValue: block.hostRange.first.rawValue + UInt64(offset)),
                    access: access)
            }
        }
        return [
            entry(Self.base, Self.mebibyte, Self.mebibyte, .readWrite),
            entry(Self.readOnly, 4096, 2 * Self.mebibyte, .read),
        ].compactMap { $0 }
    }

    /// Starts both queues at base zero, with nothing available.
    package func start(
        features: VirtioFeatures = [.indirectDescriptors, .eventIndex], bases: [UInt16] = [0, 0]
    ) {
        device.setTranslation(entries, queues: 0..<2)
        for queue in 0..<2 {
            device.bindKick(kicks[queue], queue: queue)
            device.startQueue(
                queue, layout: rings[queue].layout, features: features, base: bases[queue])
        }
    }

    /// Where the device finds buffer `index`: the receive queue's first, then the transmit queue's.
    package static func buffer(_ index: Int) -> UInt64 {
        base + 0x4_0000 + UInt64(index) * UInt64(bufferLength)
    }

    /// Where the device finds a table of descriptors for queue `queue`.
    package static func table(_ queue: Int) -> UInt64 { base + 0x2_0000 + UInt64(queue) * 0x1_0000 }

    /// A table of descriptors, as a ring whose descriptors it is.
    package func table(_ queue: Int) throws -> RawRing {
        let offset = Self.mebibyte + 0x2_0000 + queue * 0x1_0000
        return unsafe try RawRing(
            size: 1024, memory: block.base + offset,
            address: IOVirtualAddress(rawValue: Self.table(queue)))
    }

    /// Writes a chain that is as it should be at `head` of a queue.
    package func writeGood(_ queue: Int, head: UInt16) {
        let address = Self.buffer(queue * Int(Self.size) + Int(head))
        if queue == 0 {
            rings[0].setDescriptor(Int(head), address, Self.bufferLength, .write)
        } else {
            rings[1].setDescriptor(Int(head), address, Self.frameLength)
        }
    }

    /// Writes a good chain and makes it available.
    package func offerGood(_ queue: Int, head: UInt16) {
        writeGood(queue, head: head)
        rings[queue].offer(head)
    }

    package func kick() { for kick in kicks { kick.event.signal() } }

    /// The counts of a queue as they are when the device has nothing more to do.
    package func counts(_ queue: Int) -> QueueCounts { device.counts(queue) }

    /// Whether no byte outside the mapped memory has changed.
    package var areGuardsIntact: Bool {
        for start in [0, 2 * Self.mebibyte] {
            let bytes = unsafe UnsafeRawBufferPointer(start: block.base + start, count: Self.mebibyte)
            if unsafe bytes.contains(where: { $0 != Self.guardByte }) { return false }
        }
        return true
    }

    /// Stops both queues, makes the rings anew and moves a frame: whatever was done to the device, a reset heals it.
    package func worksAfterReset() -> Bool {
        for queue in 0..<2 {
            _ = device.stopQueue(queue)
            rings[queue].clear()
        }
        start()
        offerGood(0, head: 3)
        offerGood(1, head: 5)
        kick()
        return eventually { self.rings[1].usedIndex == 1 } && rings[1].usedElement(0).head == 5
    }
}
