internal import GuestMemory

/// What mapping all of guest memory for the first time took, beside what io_uring takes for the same memory.
package struct FirstMap: Codable, Hashable, Sendable {
    package let device: String
    package let memoryBytes: UInt64
    package let pageKind: String
    /// `nil` where the kernel does not show them.
    package let contiguousRuns: Int?
    /// From the first IOTLB message to the end of the last one, in microseconds.
    package let map: Double
    /// io_uring_register_buffers of the same memory, in microseconds; `nil` where it could not be done.
    package let registerBuffers: Double?
    /// Why it could not.
    package let obstacle: String?

    /// How often the second goes into the first.
    package var ratio: Double? { registerBuffers.map { map / $0 } }

    init(_ setup: CycleSetup, map: UInt64, registration: BufferRegistration) {
        device = setup.device
        memoryBytes = setup.memory.rawValue
        pageKind = setup.pages.rawValue
        contiguousRuns = setup.contiguousRuns
        self.map = Double(map) / 1000
        switch registration {
        case .took(let samples):
            registerBuffers = samples.percentile(50)
            obstacle = nil
        case .refused(let reason):
            registerBuffers = nil
            obstacle = reason
        }
    }
}
