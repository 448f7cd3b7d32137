extension SimulatedDeviceSpecification {
    /// The same device with `count` queue pairs, or more where it has more already.
    package func withQueuePairs(atLeast count: Int) throws(SimulatedDeviceSpecificationError) -> Self {
        guard count > queuePairs else { return self }
        return try SimulatedDeviceSpecification(
            kernel: kernel, parent: parent, resetMap: hasResetMap, compatReset: hasCompatReset,
            wipeOnReset: wipesOnReset, useVirtualAddresses: usesVirtualAddresses, queuePairs: count,
            entryLimit: entryLimit, fragment: fragment, memlock: memlock, fault: fault, profile: profile)
    }
}
