import GuestMemory

/// An indirect table in guest memory, wherever it lies.
///
/// The usual one is aligned and in one piece: two loads per descriptor. Nothing in virtio 1.2 section 2.7.5.3
/// asks for either, so any other one is read byte by byte, piece by piece.
@safe
struct IndirectTable {
    let address: IOVirtualAddress
    /// The table itself where it is in one piece and aligned.
    let memory: RingMemory?

    init(
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
    func descriptor(
        _ index: Int, translation: inout TranslationTable
    ) throws(TranslationFault) -> (address: UInt64, rest: UInt64) {
        guard let memory else { return try gather(index, translation: &translation) }
        let offset = RingFormat.descriptorBytes &* index
        return (memory.load64(offset), memory.load64(offset &+ 8))
    }

    func gather(
        _ index: Int, translation: inout TranslationTable
    ) throws(TranslationFault) -> (address: UInt64, rest: UInt64) {
        let distance = ByteCount(RingFormat.descriptorBytes * index)
        guard var at = address.advanced(by: distance) else {
            throw TranslationFault(address: address, access: .read)
        }
        var words: (UInt64, UInt64) = (0, 0)
        var done = 0
        while true {
            let run = try unsafe translation.run(
                at: at, byteCount: UInt32(RingFormat.descriptorBytes - done), access: .read)
            guard let pointer = run.baseAddress else { throw TranslationFault(address: at, access: .read) }
            let piece = unsafe RingMemory(pointer)
            for offset in 0..<run.count {
                let byte = UInt64(piece.load8(offset))
                let shift = UInt64((done & 7) * 8)
                if done < 8 { words.0 |= byte << shift } else { words.1 |= byte << shift }
                done += 1
            }
            if done == RingFormat.descriptorBytes { return words }
            guard let following = at.advanced(by: ByteCount(run.count)) else {
                throw TranslationFault(address: at, access: .read)
            }
            at = following
        }
    }
}
