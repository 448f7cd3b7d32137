import GuestMemory

/// The descriptor table of a ring that is here as a copy, and the chains in it as far as they are followed to be copied.
@safe
struct CopiedDescriptors {
    /// What a descriptor says of its buffer.
    struct Segment {
        let address: IOVirtualAddress
        let byteCount: Int
        /// The device is to write it.
        let writes: Bool

        fileprivate init(_ address: UInt64, _ rest: UInt64) {
            self.address = IOVirtualAddress(rawValue: address)
            byteCount = Int(UInt32(truncatingIfNeeded: rest))
            writes = rest & SplitRingNumbers.writeBit != 0
        }
    }

    /// The most descriptors of an indirect table that are looked at: more segments than a batch has room for.
    private static let limit = 4096

    private let memory: RingMemory
    private let size: Int
    private let hasIndirect: Bool

    /// The table of `size` descriptors at `memory`.
    init(_ memory: RingMemory, size: Int, hasIndirect: Bool) {
        self.memory = memory
        self.size = size
        self.hasIndirect = hasIndirect
    }

    /// The indirect table that the chain at `head` has, if it has one: as much of it as is looked at.
    func table(of head: UInt16) -> (address: IOVirtualAddress, byteCount: Int)? {
        guard hasIndirect else { return nil }
        var (index, left) = (Int(head), size)
        while left > 0, index < size {
            let (address, rest) = descriptor(index)
            if rest & SplitRingNumbers.indirectBit != 0 {
                let byteCount = min(
                    Int(UInt32(truncatingIfNeeded: rest)), Self.limit * SplitRingNumbers.descriptorBytes)
                return (IOVirtualAddress(rawValue: address), byteCount)
            }
            guard rest & SplitRingNumbers.nextBit != 0 else { return nil }
            (index, left) = (Int(rest >> 48), left - 1)
        }
        return nil
    }

    /// Takes the buffer from a chain that cannot be copied: the queue gives it back, as one that breaks a rule.
    func makeEmpty(_ head: UInt16) {
        memory.store64(0, at: SplitRingNumbers.descriptorBytes * Int(head) + 8)
    }

    /// Shows `body` the descriptors of a chain until it answers `false`, or the chain ends or breaks a rule: then the queue
    /// finds out the same.
    func walk(
        _ head: UInt16, _ translation: inout TranslationTable,
        _ body: (Segment, inout TranslationTable) -> Bool
    ) {
        var (index, left) = (Int(head), size)
        while left > 0, index < size {
            let (address, rest) = descriptor(index)
            guard rest & SplitRingNumbers.indirectBit == 0 else {
                if hasIndirect { walkTable(address, rest, &translation, body) }
                return
            }
            guard
                body(Segment(address, rest), &translation),
                rest & SplitRingNumbers.nextBit != 0
            else { return }
            (index, left) = (Int(rest >> 48), left - 1)
        }
    }

    private func walkTable(
        _ table: UInt64, _ tableRest: UInt64, _ translation: inout TranslationTable,
        _ body: (Segment, inout TranslationTable) -> Bool
    ) {
        let count = Int(UInt32(truncatingIfNeeded: tableRest)) / SplitRingNumbers.descriptorBytes
        var (index, left) = (0, min(count, Self.limit))
        while left > 0, index < count {
            let offset = UInt64(SplitRingNumbers.descriptorBytes * index)
            let (at, overflow) = table.addingReportingOverflow(offset)
            guard !overflow, let (address, rest) = words(at: at, &translation) else { return }
            guard
                body(Segment(address, rest), &translation),
                rest & SplitRingNumbers.nextBit != 0
            else { return }
            (index, left) = (Int(rest >> 48), left - 1)
        }
    }

    /// The two words of a descriptor of the table here.
    func descriptor(_ index: Int) -> (address: UInt64, rest: UInt64) {
        let offset = SplitRingNumbers.descriptorBytes * index
        return (memory.load64(offset), memory.load64(offset + 8))
    }

    /// The two words of an indirect table's descriptor, wherever it lies.
    private func words(
        at address: UInt64, _ translation: inout TranslationTable
    ) -> (address: UInt64, rest: UInt64)? {
        var words: (UInt64, UInt64) = (0, 0)
        for index in 0..<SplitRingNumbers.descriptorBytes {
            let (at, overflow) = address.addingReportingOverflow(UInt64(index))
            guard !overflow,
                let run = unsafe try? translation.run(
                    at: IOVirtualAddress(rawValue: at), byteCount: 1, access: .read),
                let pointer = run.baseAddress
            else { return nil }
            let byte = UInt64(unsafe RingMemory(pointer).load8(0))
            if index < 8 { words.0 |= byte << (8 * index) } else { words.1 |= byte << (8 * (index - 8)) }
        }
        return words
    }
}
