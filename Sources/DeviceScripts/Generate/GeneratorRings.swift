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
