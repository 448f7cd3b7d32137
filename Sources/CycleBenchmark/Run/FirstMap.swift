internal import GuestMemory

/// What mapping all of guest memory for the first time took, beside what io_uring takes for the same memory.
package struct FirstMap: Codable, Hashable, Sendable {
    package let device: String
    package let memoryBytes: UInt64
    package let pageKind: String
    /// `nil` where the kernel does not show them.
    package let contiguousRuns: Int?
    /// From before the first IOTLB message of an opening to after the last one, in microseconds: the median of the openings.
    package let map: Double
    /// How many openings there were, each with unpinned memory.
    package let openings: Int
    /// io_uring_register_buffers of the same memory, in microseconds, the median; `nil` where it could not be done.
    package let registerBuffers: Double?
    /// Why it could not.
    package let obstacle: String?

    /// How often the second goes into the first.
    package var ratio: Double? { registerBuffers.map { map / $0 } }

    /// `maps` has at least one; `obstacle` says why there are no registrations.
    init(_ setup: CycleSetup, maps: Samples, registrations: Samples, obstacle: String?) {
        device = setup.device
        memoryBytes = setup.memory.rawValue
        pageKind = setup.pages.rawValue
        contiguousRuns = setup.contiguousRuns
        map = maps.percentile(50) ?? 0
        openings = maps.count
        registerBuffers = registrations.percentile(50)
        self.obstacle = obstacle
    }
}
