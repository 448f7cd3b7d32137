internal import Logging
internal import VhostVDPA

/// Another manner of treating the same open device.
extension VhostVDPABackend {
    /// Acknowledges what `configuration` wants from now on, in place of what was acknowledged before, and treats
    /// maps and batches accordingly.
    ///
    /// SET_BACKEND_FEATURES replaces the earlier value at any time, also while the device runs
    /// (drivers/vhost/vdpa.c); what it says about IOTLB_PERSIST counts at the next reset. Nothing else is sent.
    /// `mapsWhenOpened` and `logPrefix` are without effect. On an error the earlier configuration stays.
    public func reconfigure(_ configuration: BackendConfiguration) throws(BackendError) {
        try require(state.isUsable, "a reconfiguration")
        let wanted = configuration.acknowledgement(of: negotiated.offeredBackendFeatures)
        try BackendError.calling("acknowledging backend features") { () throws(VhostVDPAError) in
            try device.setBackendFeatures(wanted)
        }
        negotiated.acknowledgedBackendFeatures = wanted
        self.configuration = configuration
        mapper.configure(
            usesBatch: wanted.contains(.iotlbBatch), verification: configuration.mapVerification)
        if isTraced { logger.debug("backend features acknowledged: \(wanted)") }
    }
}
