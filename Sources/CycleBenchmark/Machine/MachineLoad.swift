/// What else the machine did while one size was measured with idle queues.
package struct MachineLoad: Codable, Hashable, Sendable {
    package let memoryBytes: UInt64
    /// The processors that the benchmark could run on.
    package let processors: Int
    /// The load average over the minute before the benchmark: how many threads of anybody's wanted a processor.
    package let loadAverage: Double
    /// How many of those processors' time others took meanwhile; `nil` where it was over too soon to tell, or the kernel
    /// does not say. The load average stands for it then, which is the whole machine's.
    package let otherProcessors: Double?
    /// How often the measuring thread lost its processor to another thread.
    package let preemptions: Int
    /// The cycles meanwhile.
    package let cycles: Int

    /// The part of the processors that others may take before times are doubted.
    private static let shareForOthers = 0.25
    /// The same where the measuring thread was seen to lose its processor.
    private static let shareWithPreemptions = 0.05

    /// Whether others may have made the times longer.
    package var isBusy: Bool {
        guard let otherProcessors else { return loadAverage >= Double(processors) }
        let share = otherProcessors / Double(processors)
        if share >= Self.shareForOthers { return true }
        return share >= Self.shareWithPreemptions && preemptions >= max(3, cycles / 100)
    }
}
