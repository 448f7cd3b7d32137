import GuestMemory

/// A split ring's indirect table in guest memory, wherever it lies (virtio 1.2, section 2.7.5.3).
///
/// The usual one is aligned and in one piece: two loads per descriptor. The section asks for neither, so any
/// other one is read byte by byte, piece by piece.
@safe
struct SplitIndirectTable {
    private let address: IOVirtualAddress
    /// The table itself where it is in one piece and aligned.
    private let memory: RingMemory?

    /// Appends the chain in the table that an indirect descriptor of these two words names.
    ///
    /// It ends the chain: NEXT beside INDIRECT is refused, WRITE beside it ignored. A split ring's table is a
    /// list: its descriptors are followed by NEXT.
    static func follow(
        _ address: UInt64, _ rest: UInt64, in walk: inout ChainWalk, into segments: inout SegmentBuffer,
        translation: inout TranslationTable
    ) throws(VirtQueueError) {
        let chain = walk.handle
        let byteCount = UInt32(truncatingIfNeeded: rest)
        let size = Int(byteCount) / SplitRingNumbers.descriptorBytes
        guard
            size != 0, size <= SplitRingNumbers.maximumSize,
            Int(byteCount) == size &* SplitRingNumbers.descriptorBytes,
            rest & SplitRingNumbers.nextBit == 0
        else { throw VirtQueueError(.invalidIndirectTable, chain: chain) }
        let table: SplitIndirectTable
        do throws(TranslationFault) {
            table = try SplitIndirectTable(
                at: IOVirtualAddress(rawValue: address), byteCount: byteCount, translation: &translation)
        } catch {
            throw VirtQueueError(.fault(error), chain: chain)
        }
        var index = 0
        var left = size
        while true {
            let words: (address: UInt64, rest: UInt64)
            do throws(TranslationFault) {
                words = try table.descriptor(index, translation: &translation)
            } catch {
                throw VirtQueueError(.fault(error), chain: chain)
            }
            guard words.rest & SplitRingNumbers.indirectBit == 0 else {
                throw VirtQueueError(.invalidIndirectTable, chain: chain)
            }
            try walk.append(
                address: IOVirtualAddress(rawValue: words.address),
                byteCount: UInt32(truncatingIfNeeded: words.rest),
                writes: words.rest & SplitRingNumbers.writeBit != 0, into: &segments,
                translation: &translation)
            if words.rest & SplitRingNumbers.nextBit == 0 { return }
            left &-= 1
            let following = UInt16(truncatingIfNeeded: words.rest >> 48)
            guard left != 0 else { throw VirtQueueError(.chainTooLong, chain: chain) }
            guard Int(following) < size else {
                throw VirtQueueError(.descriptorOutOfRange(following), chain: chain)
            }
            index = Int(following)
        }
    }

    private init(
        at address: IOVirtualAddress, byteCount: UInt32, translation: inout TranslationTable
    ) throws(TranslationFault) {
        self.address = address
        let run = try unsafe translation.run(at: address, byteCount: byteCount, access: .read)
        if let pointer = run.baseAddress, run.count == Int(byteCount),
            UInt(bitPattern: pointer) & 7 == 0
        {
            memory = unsafe RingMemory(pointer)
        } else {
            memory = nil
        }
    }

    /// The two words of descriptor `index`, which must be in the table.
    private func descriptor(
        _ index: Int, translation: inout TranslationTable
    ) throws(TranslationFault) -> (address: UInt64, rest: UInt64) {
        guard let memory else { return try gather(index, translation: &translation) }
        let offset = SplitRingNumbers.descriptorBytes &* index
        return (memory.load64(offset), memory.load64(offset &+ 8))
    }

    private func gather(
        _ index: Int, translation: inout TranslationTable
    ) throws(TranslationFault) -> (address: UInt64, rest: UInt64) {
        let distance = ByteCount(SplitRingNumbers.descriptorBytes * index)
        guard var at = address.advanced(by: distance) else {
            throw TranslationFault(address: address, access: .read)
        }
        var words: (UInt64, UInt64) = (0, 0)
        var done = 0
        while true {
            let run = try unsafe translation.run(
                at: at, byteCount: UInt32(SplitRingNumbers.descriptorBytes - done), access: .read)
            guard let pointer = run.baseAddress else { throw TranslationFault(address: at, access: .read) }
            let piece = unsafe RingMemory(pointer)
            for offset in 0..<run.count {
                let byte = UInt64(piece.load8(offset))
                let shift = UInt64((done & 7) * 8)
                if done < 8 { words.0 |= byte << shift } else { words.1 |= byte << shift }
                done += 1
            }
            if done == SplitRingNumbers.descriptorBytes { return words }
            guard let following = at.advanced(by: ByteCount(run.count)) else {
                throw TranslationFault(address: at, access: .read)
            }
            at = following
        }
    }
}
