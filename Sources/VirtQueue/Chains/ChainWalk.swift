import GuestMemory

/// A chain under construction: adds up descriptors while it checks them.
struct ChainWalk {
    let handle: ChainHandle
    let start: Int
    var readableCount = 0
    var readableBytes: UInt32 = 0
    var totalBytes: UInt32 = 0
    /// The number of segments, and whether a writable one has been seen.
    var count = 0
    var isWritable = false

    init(_ handle: ChainHandle, start: Int) {
        self.handle = handle
        self.start = start
    }

    var chain: DescriptorChain {
        DescriptorChain(
            handle: handle, start: start,
            readableCount: isWritable ? readableCount : count,
            writableCount: isWritable ? count &- readableCount : 0,
            readableBytes: isWritable ? readableBytes : totalBytes,
            writableBytes: isWritable ? totalBytes &- readableBytes : 0
        )
    }

    /// Checks a descriptor and appends what it translates to; `writes` where the device is to write it.
    @inline(__always)
    mutating func append(
        address: IOVirtualAddress, byteCount: UInt32, writes: Bool, into segments: inout SegmentBuffer,
        translation: inout TranslationTable
    ) throws(VirtQueueError) {
        guard byteCount != 0 else { throw VirtQueueError(.emptyDescriptor, chain: handle) }
        if writes != isWritable {
            guard writes else { throw VirtQueueError(.readableAfterWritable, chain: handle) }
            isWritable = true
            readableCount = count
            readableBytes = totalBytes
        }
        let (total, isTooLarge) = totalBytes.addingReportingOverflow(byteCount)
        guard !isTooLarge else { throw VirtQueueError(.chainTooLarge, chain: handle) }
        totalBytes = total
        var at = address
        var left = byteCount
        let access: MemoryAccess = MemoryAccess(rawValue: writes ? 2 : 1)
        while true {
            let run: UnsafeMutableRawBufferPointer
            do throws(TranslationFault) {
                unsafe run = try translation.run(at: at, byteCount: left, access: access)
            } catch {
                throw VirtQueueError(.fault(error), chain: handle)
            }
            guard let pointer = run.baseAddress, unsafe segments.append(pointer, byteCount: run.count) else {
                throw VirtQueueError(.tooManySegments, chain: handle)
            }
            count &+= 1
            let part = UInt32(truncatingIfNeeded: run.count)
            if part == left { return }
            left &-= part
            guard let following = at.advanced(by: ByteCount(rawValue: UInt64(part))) else {
                throw VirtQueueError(.fault(TranslationFault(address: at, access: access)), chain: handle)
            }
            at = following
        }
    }
}
