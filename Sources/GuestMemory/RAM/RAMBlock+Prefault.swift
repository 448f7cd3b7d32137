import CLinux
import Synchronization
import SystemPackage

extension RAMBlock {
    /// Makes every page of the block resident and writable, without changing what it holds.
    ///
    /// The calling thread and `threads - 1` others fill it chunk by chunk (`MADV_POPULATE_WRITE`). The size
    /// not yet allocated is first compared with the machine's available memory and the cgroup's limit, so
    /// that a size the machine does not have is refused before a page is touched.
    ///
    /// - Parameters:
    ///   - threads: How many threads fill it; by default one per processor, 16 at most.
    ///   - progress: Called on the calling thread, about once a second from the first second on and once at
    ///     the end, with the bytes done and the block's size. A quicker prefault never calls it.
    ///   - isCancelled: Asked on every filling thread between two chunks of 16 MiB; `true` ends the prefault.
    /// - Throws: ``GuestMemoryError/Code/notEnoughMemory``, nothing touched, or
    ///   ``GuestMemoryError/Code/prefaultFailed`` or ``GuestMemoryError/Code/cancelled``, some pages resident and
    ///   the block still usable.
    public func prefault(
        threads: Int? = nil, progress: (_ done: ByteCount, _ total: ByteCount) -> Void = { _, _ in },
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws(GuestMemoryError) {
        try prefault(
            threads: threads, memory: .current, interval: .seconds(1), progress: progress,
            isCancelled: isCancelled)
    }

    func prefault(
        threads: Int?, memory: AvailableMemory, interval: Duration,
        progress: (_ done: ByteCount, _ total: ByteCount) -> Void,
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws(GuestMemoryError) {
        try refuseIfTooLarge(for: memory)
        let job = PrefaultJob(block: self, isCancelled: isCancelled)
        let threads = threads ?? min(16, Int(clinux_online_processors()))
        let helpers = max(0, min(threads, job.chunkCount) - 1)
        let start = ContinuousClock.now
        var reported = start
        WorkerThreads.run(helpers: helpers) {
            while job.fillNextChunk() {}
        } caller: {
            while job.fillNextChunk() {
                let now = ContinuousClock.now
                guard now - reported >= interval else { continue }
                reported = now
                progress(job.done, byteCount)
            }
        }
        if let errno = job.failure {
            throw GuestMemoryError(
                code: .prefaultFailed,
                context: "RAM block \(name) of \(byteCount) cannot be made resident, \(job.done) done: "
                    + "madvise(MADV_POPULATE_WRITE): \(errno); choose a smaller size, or leave it sparse",
                errno: errno
            )
        }
        guard job.done == byteCount else { throw cancellation(done: job.done) }
        if reported > start { progress(byteCount, byteCount) }
    }

    /// Somebody asked to end.
    func cancellation(done: ByteCount) -> GuestMemoryError {
        GuestMemoryError(
            code: .cancelled,
            context:
                "RAM block \(name) of \(byteCount) is not all resident, \(done) done: it was asked to end")
    }

    /// Refuses a block whose missing pages this machine does not have; touches none.
    ///
    /// - Throws: ``GuestMemoryError/Code/notEnoughMemory``.
    public func requireAvailableMemory() throws(GuestMemoryError) {
        try refuseIfTooLarge(for: .current)
    }

    /// Refuses `byteCount` of base or transparent huge pages before there is a block of them, where this machine does
    /// not have them.
    ///
    /// - Throws: ``GuestMemoryError/Code/notEnoughMemory``.
    package static func requireAvailableMemory(
        _ byteCount: ByteCount, name: String
    ) throws(GuestMemoryError) {
        try refuse(name, of: byteCount, needing: byteCount, for: .current)
    }

    private func refuseIfTooLarge(for memory: AvailableMemory) throws(GuestMemoryError) {
        // A hugetlb block's pages were reserved when it was mapped; they are not part of MemAvailable.
        guard pages != .explicit else { return }
        let needed = ByteCount(rawValue: byteCount.rawValue - min(byteCount, allocatedByteCount).rawValue)
        try Self.refuse(name, of: byteCount, needing: needed, for: memory)
    }

    private static func refuse(
        _ name: String, of byteCount: ByteCount, needing needed: ByteCount, for memory: AvailableMemory
    ) throws(GuestMemoryError) {
        guard let available = memory.available(), needed > available.bytes else { return }
        throw GuestMemoryError(
            code: .notEnoughMemory,
            context: "RAM block \(name) of \(byteCount) cannot be made resident: it needs \(needed.rounded) "
                + "more and this machine has \(available.bytes.rounded) (\(available.source)); choose a "
                + "smaller size or free memory",
            errno: .noMemory
        )
    }
}

extension ByteCount {
    /// The count rounded down to whole mebibytes, for a text where the exact number only distracts.
    fileprivate var rounded: ByteCount { ByteCount(rawValue: rawValue & ~((1 << 20) - 1)) }
}

/// The state that the threads of one prefault share: which chunk is next, what is done, what went wrong.
private final class PrefaultJob: Sendable {
    /// Large enough that a system call per chunk is nothing, small enough for a timely progress report.
    private static let chunkSize: UInt64 = 16 << 20

    private let block: RAMBlock
    private let isCancelled: @Sendable () -> Bool
    private let next = Atomic<Int>(0)
    private let doneBytes = Atomic<UInt64>(0)
    private let firstError = Atomic<Int32>(0)
    let chunkCount: Int

    init(block: RAMBlock, isCancelled: @escaping @Sendable () -> Bool) {
        self.block = block
        self.isCancelled = isCancelled
        chunkCount = Int((block.byteCount.rawValue - 1) / Self.chunkSize) + 1
    }

    var done: ByteCount { ByteCount(rawValue: doneBytes.load(ordering: .relaxed)) }

    var failure: Errno? {
        let number = firstError.load(ordering: .relaxed)
        return number == 0 ? nil : Errno(rawValue: number)
    }

    /// How often in a row one chunk is tried again because a signal interrupted it.
    private static var interruptionLimit: Int { 1000 }

    /// Fills a chunk that no other thread has; `false` where none is left, a thread has failed or all are to end.
    func fillNextChunk() -> Bool {
        guard firstError.load(ordering: .relaxed) == 0, !isCancelled() else { return false }
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < chunkCount else { return false }
        let offset = UInt64(index) * Self.chunkSize
        let length = min(Self.chunkSize, block.byteCount.rawValue - offset)
        var result: Int32
        var interruptions = 0
        repeat {
            interruptions += 1
            result = unsafe clinux_populate_write(block.base + Int(offset), length)
        } while result == -Errno.interrupted.rawValue && interruptions < Self.interruptionLimit
        guard result == 0 else {
            _ = firstError.compareExchange(expected: 0, desired: -result, ordering: .relaxed)
            return false
        }
        doneBytes.add(length, ordering: .relaxed)
        return true
    }
}
