internal import VhostVDPA

/// A pause without a reset: SUSPEND, and RESUME after it.
extension VhostVDPABackend {
    /// Whether ``suspendInPlace()`` and ``resumeInPlace()`` can be used: both features are acknowledged.
    public var canResume: Bool { negotiated.acknowledgedBackendFeatures.isSuperset(of: [.suspend, .resume]) }

    /// Suspends a running device and leaves everything else as it is: status, rings, interrupts, maps.
    ///
    /// The device touches no guest memory from here on, and a kick that comes now is lost
    /// (drivers/vhost/vdpa.c): ``resumeInPlace()`` kicks again. For a pause in which the guest's rings and its
    /// memory map stay what they are. Anything that must change while the device is down (features, ring sizes,
    /// another set of queues, another process) needs a ``stop(reason:)``, which is
    /// possible from here as well. On an error the device runs on.
    public func suspendInPlace() throws(BackendError) {
        try require(state == .started, "a suspend")
        guard canResume, !needsReset else {
            throw BackendError(
                .unsupportedDevice,
                "the device cannot be suspended to go on later: \(needsReset ? "it needs a reset" : "SUSPEND and RESUME are not both acknowledged"); stop and start it instead"
            )
        }
        try BackendError.calling("suspending the device") { () throws(VhostVDPAError) in
            try device.suspend()
        }
        state = .suspended
    }

    /// Lets a suspended device go on where it stood, and kicks every queue.
    ///
    /// On an error the device stays suspended; it can be stopped.
    public func resumeInPlace() throws(BackendError) {
        try require(state == .suspended, "a resume")
        try BackendError.calling("resuming the device") { () throws(VhostVDPAError) in
            try device.resume()
        }
        state = .started
        for queue in queues { try queue.kickDevice() }
    }
}
