package import GuestMemory
package import VhostVDPA
package import VhostVDPABackend

/// A way to stop a device and start it again.
package enum CycleStrategy: String, CaseIterable, Codable, Hashable, Sendable {
    /// What every released QEMU does: IOTLB_PERSIST is not acknowledged, all of guest memory is unmapped in one
    /// batch and mapped in another.
    case remap
    /// The same, and the device must answer for the maps of the batch (``MapVerification/always``).
    case remapVerified = "remap-verified"
    /// The same as ``remap`` without batches: every message has the device rebuild its table.
    case remapUnbatched = "remap-unbatched"
    /// IOTLB_PERSIST is acknowledged and no map is touched; reset and queues as usual.
    case persist
    /// SUSPEND and RESUME and nothing else: no reset.
    case resume

    /// The most memory that is remapped without batches: pinned memory costs the square of its size there.
    package static let unbatchedLimit = ByteCount.mebibytes(64)

    /// How the backend treats its device around a cycle of this strategy.
    package var configuration: BackendConfiguration {
        var configuration = BackendConfiguration(persist: .off, mapVerification: .never)
        switch self {
        case .remap: break
        case .remapVerified: configuration.mapVerification = .always
        case .remapUnbatched: configuration.wantedBackendFeatures.remove(.iotlbBatch)
        case .persist: configuration.persist = .auto
        case .resume:
            configuration.persist = .auto
            configuration.wantedBackendFeatures.insert(.resume)
        }
        return configuration
    }

    /// The backend features it cannot do without.
    package var neededFeatures: BackendFeatures {
        switch self {
        case .remap, .remapVerified: .iotlbBatch
        case .remapUnbatched: []
        case .persist: .iotlbPersist
        case .resume: [.suspend, .resume]
        }
    }

    /// Why it cannot be measured on a device that offers `offered`, with `memory`; `nil` where it can.
    package func obstacle(offered: BackendFeatures, memory: ByteCount) -> String? {
        let missing = neededFeatures.subtracting(offered)
        if !missing.isEmpty { return "the device does not offer the backend features \(missing)" }
        if self == .remapUnbatched, memory > Self.unbatchedLimit {
            return "without batches the time grows with the square of the memory; measured up to"
                + " \(Self.unbatchedLimit)"
        }
        return nil
    }
}
