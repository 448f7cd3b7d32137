internal import GuestMemory

/// Where a generator has its rings and buffers: memory of its own, at one place of the device's addresses.
///
/// Below 64 KiB no process has memory (vm.mmap_min_addr): a device that has lost its virtual maps finds nothing there.
enum GeneratorRings {
    static let memory: ScriptName = "rings"
    static let iova: UInt64 = 0x2000
    static let pageCount: UInt64 = 6
    static let byteCount = pageCount * UInt64(ScriptMemory.pageByteCount)
    static var last: UInt64 { iova + byteCount - 1 }
    /// What no process has memory below.
    static let lowEnd: UInt64 = 0x1_0000
    /// The sizes that have room in a page.
    static let sizes: [UInt16] = [2, 4, 4, 8, 8, 16, 32, 64]
    /// Queues that have a page.
    static let queueCount = 3

    static func ring(_ queue: Int) -> UInt64 { UInt64(queue) * 0x1000 }
    static func avail(_ queue: Int) -> UInt64 { ring(queue) + 0x800 }
    static func used(_ queue: Int) -> UInt64 { ring(queue) + 0xc00 }
    static let frames: UInt64 = 0x3000
    static let frameSpace: UInt64 = 0x200
    static let buffers: UInt64 = 0x4000
    static let bufferSpace: UInt64 = 0x100
    static let commands: UInt64 = 0x5000
    static let commandSpace: UInt64 = 0x40

    /// The device's address of a place in the memory.
    static func address(_ offset: UInt64) -> IOVirtualAddress { IOVirtualAddress(rawValue: iova + offset) }

    /// A descriptor: address, length, flags, next.
    static func descriptor(_ offset: UInt64, _ count: UInt32, flags: UInt16, next: UInt16 = 0) -> [UInt8] {
        (iova + offset).littleEndianBytes + count.littleEndianBytes + flags.littleEndianBytes
            + next.littleEndianBytes
    }
}

/// What the process has written to the rings' memory.
struct GeneratorRingImage {
    private var bytes = [UInt8](repeating: 0, count: Int(GeneratorRings.byteCount))

    mutating func store(_ new: [UInt8], at offset: UInt64) {
        guard offset <= GeneratorRings.byteCount, UInt64(new.count) <= GeneratorRings.byteCount - offset
        else { return }
        bytes.replaceSubrange(Int(offset)..<Int(offset) + new.count, with: new)
    }

    private func number(_ offset: UInt64, _ count: Int) -> UInt64 {
        Array(bytes[Int(offset)..<Int(offset) + count]).littleEndianNumber
    }

    /// Whether the chains of a ring from one position to another are such as virtio has them, with every buffer in this
    /// memory: a receive queue's are all written, a transmit queue's all read, a command's read and then written.
    func isOrderly(_ queue: Int, size: UInt16, from low: UInt16, to avail: UInt16) -> Bool {
        var position = low
        while position != avail {
            let head = number(GeneratorRings.avail(queue) + 4 + 2 * UInt64(position % size), 2)
            guard isChain(queue, UInt64(size), head) else { return false }
            position &+= 1
        }
        return true
    }

    private func isChain(_ queue: Int, _ size: UInt64, _ head: UInt64) -> Bool {
        var (index, count, written) = (head, 0, 0)
        while true {
            guard index < size, count < 2 else { return false }
            let place = GeneratorRings.ring(queue) + 16 * index
            let (address, length) = (number(place, 8), number(place + 8, 4))
            let flags = number(place + 12, 2)
            guard flags & ~3 == 0, length > 0, address >= GeneratorRings.iova, address <= GeneratorRings.last,
                length <= GeneratorRings.last - address + 1
            else { return false }
            // What is written stands behind what is read.
            if flags & 2 != 0 { written += 1 } else if written > 0 { return false }
            count += 1
            guard flags & 1 != 0 else { break }
            index = number(place + 14, 2)
        }
        return switch queue {
        case 0: written == count
        case 1: written == 0
        default: written == 1 && count == 2
        }
    }
}
