import GuestMemory

/// A program's guest memory: separate host blocks, so that an access past one is seen by AddressSanitizer.
///
/// Nothing of it changes after its making but the bytes, which two threads may share as a ring is shared.
@safe
final class ProgramMemory: @unchecked Sendable {
    @safe
    struct Block {
        let address: UInt64
        let count: Int
        let access: MemoryAccess
        let start: UnsafeMutableRawPointer
    }

    static let ringAddress: UInt64 = 0x10_0000
    static let bufferAddress: UInt64 = 0x4000_0000
    static let bufferBytes = 0x1_0000
    static let tableAddress: UInt64 = 0x8000_0000
    static let tableCount = 32
    /// Room for 16 descriptors.
    static let tableBytes = 256
    static let readOnlyAddress: UInt64 = 0x9000_0000
    static let writeOnlyAddress: UInt64 = 0xA000_0000

    let ring: Block
    let tables: Block
    private(set) var blocks: [Block] = []

    /// `fragment` is the size of the blocks the buffers are cut into.
    init(ringBytes: Int, fragment: Int) {
        ring = Self.block(Self.ringAddress, ringBytes)
        tables = Self.block(Self.tableAddress, Self.tableCount * Self.tableBytes)
        blocks = [ring, tables]
        for offset in stride(from: 0, to: Self.bufferBytes, by: fragment) {
            blocks.append(Self.block(Self.bufferAddress + UInt64(offset), fragment))
        }
        blocks.append(Self.block(Self.readOnlyAddress, 4096, .read))
        blocks.append(Self.block(Self.writeOnlyAddress, 4096, .write))
    }

    deinit { for block in blocks { unsafe block.start.deallocate() } }

    private static func block(_ address: UInt64, _ count: Int, _ access: MemoryAccess = .readWrite) -> Block {
        let start = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 64)
        unsafe start.initializeMemory(as: UInt8.self, repeating: 0, count: count)
        return unsafe Block(address: address, count: count, access: access, start: start)
    }

    func table() -> TranslationTable {
        TranslationTable(
            blocks.compactMap { block in
                AddressRange(
                    first: IOVirtualAddress(rawValue: block.address), byteCount: ByteCount(block.count)
                ).map { range in
                    TranslationEntry(
                        range: range,
                        host: HostAddress(rawValue: UInt64(UInt(bitPattern: unsafe block.start))),
                        access: block.access)
                }
            })
    }

    /// Where `byteCount` bytes at `address` lie in host memory, piece by piece; `nil` where some are unmapped.
    func pieces(_ address: UInt64, _ byteCount: Int) -> [(host: UInt, count: Int)]? {
        var result: [(host: UInt, count: Int)] = []
        var address = address
        var left = byteCount
        while left > 0 {
            guard
                let block = blocks.first(where: {
                    $0.address <= address && address - $0.address < UInt64($0.count)
                })
            else { return nil }
            let offset = Int(address - block.address)
            let count = min(left, block.count - offset)
            result.append((UInt(bitPattern: unsafe block.start) + UInt(offset), count))
            address += UInt64(count)
            left -= count
        }
        return result
    }

    /// Whether a piece of host memory lies in one block with this permission.
    func holds(host: UInt, count: Int, access: MemoryAccess) -> Bool {
        blocks.contains { block in
            let start = UInt(bitPattern: unsafe block.start)
            return block.access.isSuperset(of: access) && host >= start && count <= block.count
                && host - start <= UInt(block.count - count)
        }
    }

    /// A little-endian number of `count` bytes in the ring's block, read byte by byte.
    func number(at offset: Int, _ count: Int) -> UInt64 { Self.number(in: ring, at: offset, count) }

    static func number(in block: Block, at offset: Int, _ count: Int) -> UInt64 {
        precondition(offset >= 0 && offset + count <= block.count)
        var value: UInt64 = 0
        for index in 0..<count {
            let byte = unsafe block.start.load(fromByteOffset: offset + index, as: UInt8.self)
            value |= UInt64(byte) << UInt64(8 * index)
        }
        return value
    }

    /// Writes a little-endian number of `count` bytes; past the block's end it is cut off.
    static func poke(_ value: UInt64, in block: Block, at offset: Int, _ count: Int) {
        for index in 0..<count where offset + index < block.count {
            unsafe block.start.storeBytes(
                of: UInt8(truncatingIfNeeded: value >> UInt64(8 * index)), toByteOffset: offset + index,
                as: UInt8.self)
        }
    }
}
