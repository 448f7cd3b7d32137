internal import CIOUring
internal import Glibc

/// One thread's way into a ``CaptureFile``: packets gather in a block of a quarter of a megabyte, which goes to the file's
/// thread when it is full.
///
/// Nothing allocates once it is made, and no packet costs a system call or a lock. What has gathered is handed over by
/// ``flush()``, and when the writer goes.
@safe
package struct CaptureWriter: ~Copyable, @unchecked Sendable {
    package typealias Direction = PcapngBlocks.Direction

    /// How many bytes gather.
    private static var capacity: Int { CaptureBlocks.byteCount }

    private let file: CaptureFile
    private let interface: UInt32
    private var block: Int
    /// Where the block begins.
    private var buffer: UnsafeMutableRawPointer
    private var byteCount = 0
    private var packets = 0
    /// How long the writer may still wait for a free block.
    private var patience = CaptureQueue.patience
    /// When the present batch began, in nanoseconds since 1970.
    private var time: UInt64 = 0

    init(_ file: CaptureFile, interface: UInt32) {
        self.file = file
        self.interface = interface
        block = file.queue.takeBlock()
        unsafe buffer = file.blocks.start(block)
    }

    deinit { file.queue.takeBack(.init(block: block, byteCount: byteCount, packets: packets)) }

    /// Reads the clock for the packets that follow. They share a time: a worker sees a batch at once. A clock that is
    /// set back stands still here.
    mutating func beginBatch() {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        time = max(time, UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec))
    }

    /// Records a frame of `byteCount` bytes with its virtio header, which is left out, from `count` segments that hold
    /// as much. Where they hold less than the frame has, what they hold is recorded, and how long it was.
    ///
    /// A guest may write to the segments meanwhile: nothing that they hold decides anything.
    ///
    /// A call, which a frame's copy outweighs: inlined it would take the registers of the loops that record nothing.
    @inline(never)
    mutating func record(
        _ direction: Direction, _ segments: UnsafePointer<iovec>, count: Int, byteCount: Int, held: Int
    ) {
        let original = byteCount &- NetworkHeader.byteCount
        let captured = min(held, byteCount) &- NetworkHeader.byteCount
        guard captured >= 0, captured <= NetworkHeader.longestFrameByteCount else {
            return file.queue.leaveOut()
        }
        let start = unsafe makeRoom(captured)
        var target = unsafe start + PcapngBlocks.packetDataOffset
        var (skipped, left) = (NetworkHeader.byteCount, captured)
        for index in 0..<count where left > 0 {
            let segment = unsafe segments[index]
            let length = unsafe segment.iov_len
            let skip = min(skipped, length)
            let step = min(left, length &- skip)
            skipped &-= skip
            guard step > 0, let source = unsafe segment.iov_base else { continue }
            unsafe memcpy(target, source + skip, step)
            unsafe target += step
            left &-= step
        }
        // No memory of this process's where the segments held less than was said.
        if left > 0 { unsafe memset(target, 0, left) }
        unsafe finish(direction, captured: captured, original: original, at: start)
    }

    /// Records a frame that stands in `bytes` with its virtio header. Where it is longer than those, they are recorded,
    /// and how long it was.
    mutating func record(_ direction: Direction, _ bytes: UnsafeRawBufferPointer, byteCount: Int) {
        guard let base = bytes.baseAddress else { return }
        let segment = unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: base), iov_len: bytes.count)
        unsafe withUnsafePointer(to: segment) { segment in
            unsafe record(direction, segment, count: 1, byteCount: byteCount, held: bytes.count)
        }
    }

    /// Hands over what has gathered, where the file's thread keeps up; else it waits for more. A lock, and nothing where
    /// there is nothing.
    package mutating func flush() {
        guard byteCount > 0, let next = file.queue.offer(gathered) else { return }
        goOn(next)
    }

    private var gathered: CaptureQueue.Batch { .init(block: block, byteCount: byteCount, packets: packets) }

    /// Hands over a full block, and waits for another, though not for long.
    @inline(never)
    private mutating func handOver() {
        let batch = gathered
        goOn(file.queue.exchange(batch, patience: &patience))
    }

    private mutating func goOn(_ next: Int) {
        block = next
        unsafe buffer = file.blocks.start(next)
        byteCount = 0
        packets = 0
    }

    /// Where the block of a packet is to stand.
    @inline(__always)
    private mutating func makeRoom(_ captured: Int) -> UnsafeMutableRawPointer {
        if byteCount &+ PcapngBlocks.packetByteCount(captured: captured) > Self.capacity { handOver() }
        return unsafe buffer + byteCount
    }

    @inline(__always)
    private mutating func finish(
        _ direction: Direction, captured: Int, original: Int, at start: UnsafeMutableRawPointer
    ) {
        unsafe PcapngBlocks.write(
            .init(
                interface: interface, direction: direction, time: time, captured: captured, original: original
            ),
            at: start)
        byteCount &+= PcapngBlocks.packetByteCount(captured: captured)
        packets &+= 1
    }
}
