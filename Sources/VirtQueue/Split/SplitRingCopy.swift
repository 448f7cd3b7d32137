package import GuestMemory
package import Virtio

/// A split ring whose driver is another process, with memory that the device can only copy (``CopiedMemory``): the ring and
/// what its chains name, a batch at a time.
///
/// The device side is a ``SplitDeviceQueue`` over areas here. ``pull(next:translation:)`` brings what the driver has made
/// available, before a batch, and ``push(completed:translation:)`` takes to it what the batch has completed: the bytes that
/// were written and the used elements, then the index. What else the driver has in the same pages is never written to.
///
/// An index is of two bytes, and no copy promises to take both at once: one that is read is read twice (``word(at:of:)``),
/// and the used index is written with what stands beside it, as one word of 64 bits, which a kernel copies in one
/// piece. One thread at a time.
@safe
package final class SplitRingCopy {
    /// The most chains that one pull takes, of which one has ``chainByteLimit`` bytes of frame at the most: what a worker
    /// does at once has an end.
    private static let pullLimit = 256
    /// What is copied of a chain's readable part: nobody reads more than the longest frame (``NetworkHeader``).
    private static let chainByteLimit = 12 + 65_550
    /// How often a word is read that changes all the time: a driver does not keep the worker from its commands.
    private static let wordAttempts = 16

    private let block: UnsafeMutableRawPointer
    private let table: CopiedArea
    private let avail: CopiedArea
    private let used: CopiedArea
    private let descriptors: CopiedDescriptors
    private let memories: [CopiedMemory]
    private let size: Int
    private let hasEventIndex: Bool
    private let usedLag: UInt16
    /// The layout of the areas here, and what has it found.
    private let ownLayout: RingLayout
    private let ownRange: AddressRange<IOVirtualAddress>

    /// The avail entries before it are here.
    private var pulled: UInt16
    /// The used index that the driver sees.
    private var pushed: UInt16
    /// The first descriptors of chains that are here and could not be copied.
    private var missed: Set<UInt16> = []
    private var copies = CopyList()
    /// What each of the copies is of: the first descriptor of its chain, and the device's address.
    private var subjects: [(head: UInt16?, address: IOVirtualAddress)] = []
    private let scratch: UnsafeMutableRawPointer
    private var faults: [TranslationFault] = []

    /// Finds the ring at `layout` in `translation`, which leads to `memories` among others. Nothing is written.
    ///
    /// - Throws: What ``SplitDeviceQueue``'s does.
    package init(
        layout: RingLayout, features: VirtioFeatures, state: QueueState, quirks: SplitRingQuirks,
        memories: [CopiedMemory], translation: inout TranslationTable
    ) throws(VirtQueueError) {
        let geometry = try RingGeometry(size: layout.size)
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: geometry.byteCount, alignment: RingGeometry.alignment)
        unsafe block.initializeMemory(as: UInt8.self, repeating: 0, count: geometry.byteCount)
        let own = IOVirtualAddress(rawValue: UInt64(UInt(bitPattern: block)))
        guard let range = AddressRange(first: own, byteCount: ByteCount(geometry.byteCount)) else {
            preconditionFailure("a ring's memory is somewhere")
        }
        let (size, addresses) = (layout.size, layout.addresses)
        let hasEventIndex = features.contains(.eventIndex)
        do throws(VirtQueueError) {
            unsafe table = try CopiedArea(
                addresses.descriptorArea, SplitRingNumbers.descriptorTableBytes(size: size),
                alignment: quirks.takesAnyTableAddress ? 1 : 16,
                .read, here: block, memories, &translation)
            unsafe avail = try CopiedArea(
                addresses.driverArea, SplitRingNumbers.availRingBytes(size: size, eventIndex: hasEventIndex),
                alignment: 2, .read, here: block + geometry.driverAreaOffset, memories, &translation)
            unsafe used = try CopiedArea(
                addresses.deviceArea, SplitRingNumbers.usedRingBytes(size: size, eventIndex: hasEventIndex),
                alignment: 4, .write, here: block + geometry.deviceAreaOffset, memories, &translation)
        } catch {
            unsafe block.deallocate()
            throw error
        }
        unsafe self.block = block
        unsafe scratch = .allocate(byteCount: 4, alignment: 4)
        self.memories = memories
        self.size = Int(size)
        self.hasEventIndex = hasEventIndex
        descriptors = CopiedDescriptors(
            table.memory, size: Int(size), hasIndirect: features.contains(.indirectDescriptors))
        usedLag = quirks.usedLag
        ownLayout = geometry.layout(at: own)
        ownRange = range
        switch state {
        case .split(let nextAvail):
            pulled = nextAvail
            pushed = nextAvail &- quirks.usedLag
        }
        avail.memory.store16(pulled, at: SplitRingNumbers.indexOffset)
        // The device's own words stand as they did: the index is written with its neighbours.
        add(used, 0..<used.byteCount)
        _ = copies.read()
    }

    deinit {
        unsafe block.deallocate()
        unsafe scratch.deallocate()
    }

    /// The device side of the ring here.
    package func makeQueue(
        features: VirtioFeatures, state: QueueState, quirks: SplitRingQuirks
    ) throws(VirtQueueError) -> AnyDeviceQueue {
        var translation = TranslationTable([
            TranslationEntry(
                range: ownRange, host: HostAddress(rawValue: ownRange.first.rawValue), access: .readWrite)
        ])
        return try AnyDeviceQueue(
            layout: ownLayout, features: features, state: state, quirks: quirks, translation: &translation)
    }

    /// What could not be copied since the last time this was asked.
    package func takeFaults() -> [TranslationFault] {
        defer { faults.removeAll() }
        return faults
    }

    // MARK: From the driver

    /// Copies what the driver has made available since the last time, of a queue that stands at `next`: the entries, the
    /// descriptors, and what the device reads of the buffers. The index is read first.
    package func pull(next: UInt16, translation: inout TranslationTable) {
        // Those that the queue has given back may be good the next time.
        if !missed.isEmpty { missed.formIntersection(heads(from: next, count: Int(pulled &- next))) }
        guard let index = index(), index != pulled else { return }
        // Whatever becomes of this pull, earlier ones have left chains that are not taken yet.
        defer { for head in missed { descriptors.makeEmpty(head) } }
        begin()
        add(avail, 0..<avail.byteCount)
        add(table, 0..<table.byteCount)
        let isComplete = noteFailures(copies.read(), .read)
        // An index that no driver has is the queue's to find out.
        let isJump = Int(index &- next) > size
        let fresh = isJump ? index &- pulled : min(index &- pulled, UInt16(Self.pullLimit))
        avail.memory.store16(isComplete ? pulled &+ fresh : pulled, at: SplitRingNumbers.indexOffset)
        guard isComplete else { return }
        let heads = heads(from: pulled, count: Int(fresh))
        pulled &+= fresh
        pullTables(of: heads, &translation)
        begin()
        for head in heads where Int(head) < size {
            var left = Self.chainByteLimit
            descriptors.walk(head, &translation) { segment, translation in
                guard !segment.writes, left > 0 else { return false }
                let count = min(left, segment.byteCount)
                add(segment.address, count, .read, of: head, &translation)
                left -= count
                return true
            }
        }
        noteFailures(copies.read(), .read)
    }

    /// The first descriptors of chains, as the entries here name them: all of the ring's at the most.
    private func heads(from entry: UInt16, count: Int) -> [UInt16] {
        (0..<min(count, size)).map { index in
            let slot = Int(entry &+ UInt16(index)) & (size - 1)
            return avail.memory.load16(
                SplitRingNumbers.elementsOffset + SplitRingNumbers.availElementBytes * slot)
        }
    }

    /// Copies the indirect tables of chains, by which the buffers are found.
    private func pullTables(of heads: [UInt16], _ translation: inout TranslationTable) {
        begin()
        for head in heads {
            guard let (address, byteCount) = descriptors.table(of: head) else { continue }
            add(address, byteCount, .read, of: head, &translation)
        }
        if copies.count > 0 { noteFailures(copies.read(), .read) }
    }

    // MARK: To the driver

    /// Copies what was completed up to `completed`: what the device has written, the used elements, then the index. After
    /// that the driver's wish to be called is read, and is here for ``SplitDeviceQueue/publish()``.
    package func push(completed: UInt16, translation: inout TranslationTable) {
        let new = completed &- usedLag
        begin()
        var slot = pushed
        while slot != new {
            let offset = elementOffset(slot)
            let (head, byteCount) = (used.memory.load32(offset), used.memory.load32(offset + 4))
            if Int(head) < size { addWritten(byteCount, by: UInt16(head), &translation) }
            add(used, offset..<offset + SplitRingNumbers.usedElementBytes)
            slot &+= 1
        }
        noteFailures(copies.write(), .write)
        used.memory.store16(new, at: SplitRingNumbers.indexOffset)
        begin()
        add(used, 0..<8)
        noteFailures(copies.write(), .write)
        pushed = new
        RingMemory.fullFence()
        let wish = hasEventIndex ? SplitRingNumbers.usedEventOffset(size: size) : 0
        if let word = word(at: wish, of: avail) { avail.memory.store16(word, at: wish) }
    }

    /// Shows the driver which kicks the device wants. Returns whether chains are there that were not pulled.
    package func pushWish() -> Bool {
        guard memories.first?.isGone != true else { return false }
        let wish = hasEventIndex ? SplitRingNumbers.availEventOffset(size: size) : 0
        begin()
        add(used, wish..<wish + 2)
        noteFailures(copies.write(), .write)
        RingMemory.fullFence()
        return index().map { $0 != pulled } ?? false
    }

    private func elementOffset(_ slot: UInt16) -> Int {
        SplitRingNumbers.elementsOffset + SplitRingNumbers.usedElementBytes * (Int(slot) & (size - 1))
    }

    /// Adds the first `byteCount` bytes that a chain lets the device write.
    private func addWritten(
        _ byteCount: UInt32, by head: UInt16, _ translation: inout TranslationTable
    ) {
        var left = Int(byteCount)
        guard left > 0 else { return }
        descriptors.walk(head, &translation) { segment, translation in
            guard segment.writes else { return true }
            let count = min(left, segment.byteCount)
            add(segment.address, count, .write, of: head, &translation)
            left -= count
            return left > 0
        }
    }

    // MARK: Copies

    private func begin() {
        copies.removeAll()
        subjects.removeAll(keepingCapacity: true)
    }

    /// Adds copies of the device's memory from `address` on, as far as it is a process's. What does not translate is the
    /// queue's to find out.
    private func add(
        _ address: IOVirtualAddress, _ byteCount: Int, _ access: MemoryAccess, of head: UInt16,
        _ translation: inout TranslationTable
    ) {
        var (at, left) = (address, byteCount)
        while left > 0 {
            guard
                let run = unsafe try? translation.run(
                    at: at, byteCount: UInt32(clamping: left), access: access),
                let pointer = run.baseAddress
            else { return }
            let here = HostAddress(rawValue: UInt64(UInt(bitPattern: pointer)))
            if let place = memories.place(of: here) {
                copies.add(here, place, byteCount: run.count)
                subjects.append((head, at))
            }
            left -= run.count
            guard left > 0, let next = at.advanced(by: ByteCount(run.count)) else { return }
            at = next
        }
    }

    /// Adds copies of bytes of an area.
    private func add(_ area: CopiedArea, _ range: Range<Int>) {
        for (place, piece) in area.pieces(range) {
            let here = unsafe area.memory.base + piece.lowerBound
            copies.add(
                HostAddress(rawValue: UInt64(UInt(bitPattern: here))), place, byteCount: piece.count)
            subjects.append((nil, area.address(of: piece.lowerBound)))
        }
    }

    /// Notes the copies that failed; `true` where there are none.
    @discardableResult
    private func noteFailures(_ failed: [Int], _ access: MemoryAccess) -> Bool {
        for index in failed {
            let (head, address) = subjects[index]
            // One is enough for a chain, and for a ring.
            if let head, access == .read, !missed.insert(head).inserted { continue }
            faults.append(TranslationFault(address: address, access: access))
            if head == nil { break }
        }
        return failed.isEmpty
    }

    /// The avail index as it is now; `nil` where it cannot be read.
    private func index() -> UInt16? {
        guard memories.first?.isGone != true, let index = word(at: SplitRingNumbers.indexOffset, of: avail)
        else {
            faults.append(
                TranslationFault(address: avail.address(of: SplitRingNumbers.indexOffset), access: .read))
            return nil
        }
        return index
    }

    /// A word of 16 bits that the driver writes at once, and a copy may take in two: the low byte, then the high one. It
    /// is read twice, one after the other. Where both have the same high byte, the second low byte was there with it.
    ///
    /// A driver moves the high byte of an index once in 256 entries. One that does it every time has the word it gets.
    private func word(at offset: Int, of area: CopiedArea) -> UInt16? {
        guard let place = area.place(of: offset) else { return nil }
        let here = UInt64(UInt(bitPattern: unsafe scratch))
        var word: UInt16 = 0
        for _ in 0..<Self.wordAttempts {
            begin()
            copies.add(HostAddress(rawValue: here), place, byteCount: 2)
            copies.add(HostAddress(rawValue: here + 2), place, byteCount: 2)
            guard copies.read().isEmpty else { return nil }
            word = unsafe RingMemory(scratch).load16(2)
            if unsafe RingMemory(scratch).load16(0) >> 8 == word >> 8 { break }
        }
        return word
    }
}
