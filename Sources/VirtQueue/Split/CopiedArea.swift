import GuestMemory

/// An area of a ring that is here as a copy: where it is of its process.
@safe
struct CopiedArea {
    /// A part of it that is in one piece there.
    private struct Part {
        let place: MemoryPlace
        let range: Range<Int>
    }

    /// As the device addresses it.
    let address: IOVirtualAddress
    let byteCount: Int
    /// The copy.
    let memory: RingMemory
    private let parts: [Part]

    /// Finds the area at `address` in `translation`, in as many parts as it has, each in one of `memories` or, where it is
    /// mapped here as well, in this process. The copy is at `here`.
    init(
        _ address: IOVirtualAddress, _ byteCount: Int, alignment: Int, _ access: MemoryAccess,
        here: UnsafeMutableRawPointer, _ memories: [CopiedMemory], _ translation: inout TranslationTable
    ) throws(VirtQueueError) {
        guard address.isAligned(to: ByteCount(alignment)) else {
            throw VirtQueueError(.misalignedRing(address))
        }
        var parts: [Part] = []
        var (at, offset) = (address, 0)
        while true {
            do throws(TranslationFault) {
                let run = unsafe try translation.run(
                    at: at, byteCount: UInt32(byteCount - offset), access: access)
                let start = HostAddress(rawValue: UInt64(UInt(bitPattern: run.baseAddress)))
                parts.append(
                    Part(
                        place: memories.place(of: start) ?? MemoryPlace(here: start),
                        range: offset..<offset + run.count))
                offset += run.count
                guard offset < byteCount else { break }
                guard let next = at.advanced(by: ByteCount(run.count)) else {
                    throw TranslationFault(address: at, access: access)
                }
                at = next
            } catch {
                throw VirtQueueError(.fault(error))
            }
        }
        self.address = address
        self.byteCount = byteCount
        unsafe memory = RingMemory(here)
        self.parts = parts
    }

    /// Where the byte at `offset` is.
    func place(of offset: Int) -> MemoryPlace? {
        guard let part = parts.first(where: { $0.range.contains(offset) }) else { return nil }
        return part.place.advanced(by: offset - part.range.lowerBound)
    }

    /// The pieces that bytes of it are in, lowest first.
    func pieces(_ range: Range<Int>) -> [(place: MemoryPlace, range: Range<Int>)] {
        parts.compactMap { part in
            let wanted = range.clamped(to: part.range)
            guard !wanted.isEmpty else { return nil }
            return (part.place.advanced(by: wanted.lowerBound - part.range.lowerBound), wanted)
        }
    }

    /// The device's address of the byte at `offset`.
    func address(of offset: Int) -> IOVirtualAddress {
        IOVirtualAddress(rawValue: address.rawValue &+ UInt64(offset))
    }
}

extension [CopiedMemory] {
    /// Where the byte at `address` here is its process's; `nil` where it is in none of them.
    func place(of address: HostAddress) -> MemoryPlace? {
        for memory in self {
            if let place = memory.place(of: address) { return place }
        }
        return nil
    }
}
