public import GuestMemory
public import Virtio

extension SplitDriverQueue {
    /// Adds a chain of one device-readable buffer; `false` where no descriptor is free.
    @inlinable
    public mutating func add(readable: DriverSegment, token: UInt32) -> Bool {
        addOne(readable, flags: 0, writableBytes: 0, token: token)
    }

    /// Adds a chain of one device-writable buffer; `false` where no descriptor is free.
    @inlinable
    public mutating func add(writable: DriverSegment, token: UInt32) -> Bool {
        addOne(writable, flags: SplitRingNumbers.write, writableBytes: writable.byteCount, token: token)
    }

    /// Adds a chain of a device-readable and a device-writable buffer; `false` where fewer than two are free.
    @inlinable
    public mutating func add(readable: DriverSegment, writable: DriverSegment, token: UInt32) -> Bool {
        guard free >= 2 else { return false }
        let head = freeHead
        let last = unsafe slots[Int(head)].next
        write(readable, flags: SplitRingNumbers.next, next: last, to: head)
        write(writable, flags: SplitRingNumbers.write, next: 0, to: last)
        lend(head: head, last: last, count: 2, writableBytes: writable.byteCount, token: token)
        return true
    }

    /// Adds a chain of these buffers, one descriptor each; `false` where there are not enough free ones.
    ///
    /// At least one buffer, each of at least one byte, together less than 4 GiB. The lists are read before the
    /// function returns. The device sees the chain with the next ``publish()``.
    @inlinable
    @unsafe
    public mutating func add(
        readable: UnsafeBufferPointer<DriverSegment>, writable: UnsafeBufferPointer<DriverSegment>,
        token: UInt32
    ) -> Bool {
        let count = readable.count &+ writable.count
        precondition(count > 0, "a chain without a buffer")
        guard count <= free else { return false }
        let head = freeHead
        var index = head
        var last = head
        var left = count
        var writableBytes: UInt32 = 0
        for place in 0..<readable.count {
            let segment = unsafe readable[place]
            left &-= 1
            let following = unsafe slots[Int(index)].next
            write(segment, flags: left == 0 ? 0 : SplitRingNumbers.next, next: following, to: index)
            last = index
            index = following
        }
        for place in 0..<writable.count {
            let segment = unsafe writable[place]
            left &-= 1
            let following = unsafe slots[Int(index)].next
            let flags = left == 0 ? SplitRingNumbers.write : SplitRingNumbers.write | SplitRingNumbers.next
            write(segment, flags: flags, next: following, to: index)
            writableBytes += segment.byteCount
            last = index
            index = following
        }
        lend(
            head: head, last: last, count: UInt16(truncatingIfNeeded: count), writableBytes: writableBytes,
            token: token)
        return true
    }

    /// Adds a chain through an indirect table, one descriptor for all of these buffers; `false` where none is free.
    ///
    /// INDIRECT_DESC must have been negotiated. `table` has room for 16 bytes per buffer, is aligned to 8 and
    /// stands at `address` for the device; it is the device's until the chain is reaped. At most 32768 buffers.
    @inlinable
    @unsafe
    public mutating func add(
        readable: UnsafeBufferPointer<DriverSegment>, writable: UnsafeBufferPointer<DriverSegment>,
        token: UInt32,
        indirectTable table: UnsafeMutableRawPointer, at address: IOVirtualAddress
    ) -> Bool {
        precondition(features.contains(.indirectDescriptors), "indirect descriptors were not negotiated")
        precondition(UInt(bitPattern: table) & 7 == 0, "an indirect table that is not aligned")
        let count = readable.count &+ writable.count
        precondition(
            count > 0 && count <= SplitRingNumbers.maximumSize, "an indirect table of no or too many buffers")
        guard free >= 1 else { return false }
        let memory = unsafe RingMemory(table)
        var index = 0
        var writableBytes: UInt32 = 0
        for place in 0..<readable.count {
            let segment = unsafe readable[place]
            let flags = index &+ 1 == count ? 0 : SplitRingNumbers.next
            Self.write(segment, flags: flags, next: index &+ 1, to: memory, index)
            index &+= 1
        }
        for place in 0..<writable.count {
            let segment = unsafe writable[place]
            let flags =
                index &+ 1 == count ? SplitRingNumbers.write : SplitRingNumbers.write | SplitRingNumbers.next
            Self.write(segment, flags: flags, next: index &+ 1, to: memory, index)
            writableBytes += segment.byteCount
            index &+= 1
        }
        let byteCount = UInt32(truncatingIfNeeded: count &* SplitRingNumbers.descriptorBytes)
        return addOne(
            DriverSegment(address: address, byteCount: byteCount), flags: SplitRingNumbers.indirect,
            writableBytes: writableBytes, token: token)
    }

    @inlinable
    @inline(__always)
    mutating func addOne(
        _ segment: DriverSegment, flags: UInt16, writableBytes: UInt32, token: UInt32
    ) -> Bool {
        guard free != 0 else { return false }
        let head = freeHead
        write(segment, flags: flags, next: 0, to: head)
        lend(head: head, last: head, count: 1, writableBytes: writableBytes, token: token)
        return true
    }

    @inlinable
    @inline(__always)
    func write(_ segment: DriverSegment, flags: UInt16, next: UInt16, to index: UInt16) {
        Self.write(segment, flags: flags, next: Int(next), to: descriptors, Int(index))
    }

    @inlinable
    @inline(__always)
    static func write(
        _ segment: DriverSegment, flags: UInt16, next: Int, to table: RingMemory, _ index: Int
    ) {
        precondition(segment.byteCount != 0, "a buffer without a byte")
        let offset = SplitRingNumbers.descriptorBytes &* index
        let link = flags & SplitRingNumbers.next == 0 ? 0 : UInt64(UInt16(truncatingIfNeeded: next))
        table.store64(segment.address.rawValue, at: offset)
        table.store64(UInt64(segment.byteCount) | UInt64(flags) << 32 | link << 48, at: offset &+ 8)
    }

    /// Takes the first `count` descriptors off the free list as a chain and puts its head into the avail ring.
    @inlinable
    @inline(__always)
    mutating func lend(head: UInt16, last: UInt16, count: UInt16, writableBytes: UInt32, token: UInt32) {
        let slot = unsafe slots + Int(head)
        freeHead = unsafe slots[Int(last)].next
        free &-= Int(count)
        unsafe slot.pointee.token = token
        unsafe slot.pointee.writableBytes = writableBytes
        unsafe slot.pointee.last = last
        unsafe slot.pointee.count = count
        let place = Int(added & mask)
        avail.store16(
            head, at: SplitRingNumbers.elementsOffset &+ SplitRingNumbers.availElementBytes &* place)
        added &+= 1
    }
}
