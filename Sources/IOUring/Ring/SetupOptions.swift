import CIOUring

/// How a ring is set up: `IORING_SETUP_*` in English.
public struct SetupOptions: OptionSet, Sendable {
    /// The bits as the kernel has them.
    public let rawValue: UInt32

    /// Makes a set of its bits.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Submission continues behind a request that fails at once.
    public static let submitAll = SetupOptions(rawValue: UInt32(IORING_SETUP_SUBMIT_ALL))
    /// One thread submits; the kernel refuses any other.
    public static let singleIssuer = SetupOptions(rawValue: UInt32(IORING_SETUP_SINGLE_ISSUER))
    /// Completions are produced only while the owner is in a waiting call, so nothing interrupts it.
    public static let deferredTaskRun = SetupOptions(rawValue: UInt32(IORING_SETUP_DEFER_TASKRUN))
    /// The kernel sets a flag where work waits for the owner, see ``IOUring/hasPendingWork``.
    public static let taskRunFlag = SetupOptions(rawValue: UInt32(IORING_SETUP_TASKRUN_FLAG))
    /// The kernel does not interrupt the owner to run completions.
    public static let cooperative = SetupOptions(rawValue: UInt32(IORING_SETUP_COOP_TASKRUN))
    /// Nothing may be submitted before ``IOUring/enable()``, which also decides the owning thread.
    public static let startsDisabled = SetupOptions(rawValue: UInt32(IORING_SETUP_R_DISABLED))

    /// What the kernel of Linux 6.1 and later takes and the data path wants.
    public static let preferred: SetupOptions = [.submitAll, .singleIssuer, .deferredTaskRun, .taskRunFlag]

    /// What is asked for, in order: each set follows where the kernel answers EINVAL to the one before it.
    static func attempts(_ options: SetupOptions) -> [SetupOptions] {
        let disabled = options.intersection(.startsDisabled)
        let older: SetupOptions = [.submitAll, .cooperative, .taskRunFlag]
        let plain: SetupOptions = []
        return [options, older.union(disabled), plain.union(disabled)]
    }
}
