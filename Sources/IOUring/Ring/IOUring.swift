public import CIOUring
import Synchronization
import SystemPackage

/// An io_uring: requests go in, completions come out, one system call for many of either.
///
/// A thin owner of liburing's ring. Requests are queued by the operations (`pollAdd`, `readv`, …), which answer
/// `false` where the submission queue is full, handed over by ``submit()`` or ``submitAndWait(count:timeout:)``
/// and taken back by ``nextCompletion()`` or ``forEachCompletion(limit:_:)``. Nothing allocates after creation.
///
/// **Thread.** The kernel ties the ring to one thread: the one that creates it or, with `startsDisabled`, the
/// one that calls ``enable()``. Any other that submits or waits is answered EEXIST (``IOUringError/Code/wrongThread``).
/// A ring may move between threads before it is enabled and be registered with, not submitted to.
///
/// **Closing.** `deinit` closes the ring. That does not cancel what has started: the kernel finishes it later,
/// on memory that may be gone. Whoever owns the memory cancels and drains first.
@safe
public struct IOUring: ~Copyable, @unchecked Sendable {
    /// On the heap so that the ring's address never changes and the hot path touches fields, not copies.
    @usableFromInline let ring: UnsafeMutablePointer<io_uring>

    /// Rings that are open. What was done with one happens before what is done with a ring that is made once it is gone:
    /// the kernel may map that one at the same address, for another thread. It orders the two itself, in calls that
    /// only liburing makes; this says it in the memory model, for a reader and for ThreadSanitizer.
    private static let openRings = Atomic<Int>(0)

    /// What the kernel agreed to. Lacks `singleIssuer` and `deferredTaskRun` where it is older than 6.1: everything
    /// works there, with more interruptions; the caller logs it.
    public let options: SetupOptions

    /// Creates a ring.
    ///
    /// Where the kernel answers EINVAL to the preferred set-up it is asked again without what is new; ``options``
    /// tells.
    ///
    /// - Parameters:
    ///   - submissionEntries: requests that can be queued before a submit; rounded up to a power of two, at most
    ///     32768.
    ///   - completionEntries: completions that can wait; at least the most requests in flight, or the kernel has
    ///     to keep an overflow list. Rounded up to a power of two, at most 65536.
    ///   - options: add `startsDisabled` for a ring that another thread will own.
    public init(
        submissionEntries: Int, completionEntries: Int, options: SetupOptions = .preferred
    ) throws(IOUringError) {
        unsafe try self.init(
            submissionEntries: submissionEntries, completionEntries: completionEntries, options: options,
            setup: { unsafe io_uring_queue_init_params($0, $1, $2) })
    }

    /// The same, with the system call as a parameter: tests play older kernels through it.
    init(
        submissionEntries: Int,
        completionEntries: Int,
        options: SetupOptions,
        setup: (UInt32, UnsafeMutablePointer<io_uring>, UnsafeMutablePointer<io_uring_params>) -> Int32
    ) throws(IOUringError) {
        guard let submissions = UInt32(exactly: submissionEntries), submissions > 0,
            let completions = UInt32(exactly: completionEntries), completions > 0
        else {
            throw IOUringError.setup(
                .invalidArgument, disabledSetting: nil, submissionEntries: submissionEntries,
                completionEntries: completionEntries)
        }
        let ring = UnsafeMutablePointer<io_uring>.allocate(capacity: 1)
        unsafe ring.initialize(to: io_uring())
        var answer: Int32 = 0
        for attempt in SetupOptions.attempts(options) {
            var parameters = io_uring_params()
            parameters.flags = attempt.rawValue | UInt32(IORING_SETUP_CQSIZE)
            parameters.cq_entries = completions
            answer = unsafe setup(submissions, ring, &parameters)
            if answer == 0 {
                Self.openRings.add(1, ordering: .acquiring)
                unsafe self.ring = ring
                self.options = attempt
                return
            }
            if answer != -Errno.invalidArgument.rawValue { break }
        }
        unsafe ring.deallocate()
        throw IOUringError.setup(
            Errno(rawValue: -answer), disabledSetting: IOUring.disabledSetting(),
            submissionEntries: submissionEntries, completionEntries: completionEntries)
    }

    deinit {
        Self.openRings.subtract(1, ordering: .releasing)
        unsafe io_uring_queue_exit(ring)
        unsafe ring.deallocate()
    }

    /// Makes the calling thread the owner of a ring created with `startsDisabled`.
    public mutating func enable() throws(IOUringError) {
        let answer = unsafe ciouring_enable(ring)
        guard answer >= 0 else { throw IOUringError.enter(Errno(rawValue: -answer)) }
    }

    /// Requests that the submission queue holds in all.
    public var submissionCapacity: Int { unsafe Int(ring.pointee.sq.ring_entries) }

    /// Completions that can wait without overflow.
    public var completionCapacity: Int { unsafe Int(ring.pointee.cq.ring_entries) }

    private static func disabledSetting() -> String? {
        guard
            let file = unsafe try? FileDescriptor.open(
                "/proc/sys/kernel/io_uring_disabled", .readOnly, retryOnInterrupt: false)
        else {
            return nil
        }
        defer { try? file.close() }
        return try? file.readSetting()
    }
}

extension FileDescriptor {
    /// The first bytes of a setting under /proc/sys as text.
    fileprivate func readSetting() throws -> String {
        try unsafe withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { buffer in
            let count = try unsafe read(into: buffer, retryOnInterrupt: false)
            return unsafe String(decoding: buffer.prefix(count), as: UTF8.self)
        }
    }
}
