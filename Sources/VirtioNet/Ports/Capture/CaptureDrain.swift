internal import Glibc
internal import SystemPackage

/// The blocks of memory of a capture, in which packets gather.
@safe
final class CaptureBlocks: @unchecked Sendable {
    /// How many bytes a block has.
    static var byteCount: Int { 1 << 18 }

    private let base: UnsafeMutableRawPointer
    private let count: Int

    /// Takes memory for `count` blocks, of which a page is there when it is first written to.
    init(count: Int) throws(Errno) {
        let memory = unsafe mmap(
            nil, count * Self.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else { throw Errno(rawValue: errno) }
        unsafe base = memory
        self.count = count
    }

    deinit { unsafe munmap(base, count * Self.byteCount) }

    /// Where a block begins. One thread at a time has it (``CaptureQueue``).
    @unsafe
    func start(_ block: Int) -> UnsafeMutableRawPointer { unsafe base + block * Self.byteCount }
}

/// The thread of a capture's file: it alone writes to it, so that nobody else waits for a disk or for who reads a pipe.
struct CaptureDrain: ~Copyable {
    private var target: CaptureTarget
    private let queue: CaptureQueue
    private let blocks: CaptureBlocks
    /// What the file begins with.
    private let prologue: [UInt8]
    /// Bytes of whole blocks in the file.
    private var byteCount = 0

    init(target: consuming CaptureTarget, queue: CaptureQueue, blocks: CaptureBlocks, prologue: [UInt8]) {
        self.target = target
        self.queue = queue
        self.blocks = blocks
        self.prologue = prologue
    }

    /// Empties the file, and writes what comes until that was all or a write is refused.
    mutating func run() {
        guard begin() else { return }
        while let batch = queue.next() { write(batch) }
        let loss = target.loss(of: byteCount, beginningWith: prologue)
        let refusal = target.close()
        queue.end(loss ?? refusal.map { .refused($0) })
    }

    private mutating func begin() -> Bool {
        var failure = target.empty().map { CaptureFile.Failure.refused($0) }
        if failure == nil {
            failure = unsafe prologue.withUnsafeBytes { unsafe target.write($0, for: queue) }.failure
        }
        guard let failure else {
            byteCount = prologue.count
            queue.begin(.done)
            return true
        }
        target.cut(to: 0)
        _ = target.close()
        if case .refused(let errno) = failure {
            queue.begin(.refused(errno))
        } else {
            queue.end(nil)
        }
        return false
    }

    private mutating func write(_ batch: CaptureQueue.Batch) {
        let bytes = unsafe UnsafeRawBufferPointer(start: blocks.start(batch.block), count: batch.byteCount)
        let written = unsafe target.write(bytes, for: queue)
        guard let failure = written.failure else {
            byteCount += batch.byteCount
            return queue.finish(batch, recorded: batch.packets, failure: nil)
        }
        let whole = unsafe PcapngBlocks.wholeBlocks(of: bytes, within: written.count)
        byteCount += whole.bytes
        // What is no regular file keeps the half of a packet.
        target.cut(to: byteCount)
        queue.finish(batch, recorded: whole.count, failure: failure)
    }
}
