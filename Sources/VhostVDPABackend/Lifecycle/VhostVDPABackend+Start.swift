internal import Logging
public import VhostVDPA

/// A start of the device.
extension VhostVDPABackend {
    /// Starts the device with `features` and `queues`, whatever it ran with before.
    ///
    /// Features are negotiated, memory is mapped if no maps are kept, each queue is set up and enabled, the device is
    /// set running and every queue is kicked. The eventfds are told in every start.
    ///
    /// On an error the device is reset, its maps are removed, and the state is ``BackendState/stopped`` and
    /// ``MappingState/unmapped``: it can be started again. Where even that fails the state is
    /// ``BackendState/failed``. A start that is refused for the state, for features that are not offered or for a queue
    /// that the device cannot have reaches nothing and changes nothing.
    public func start(features: DeviceFeatures, queues: [VringSetup]) throws(BackendError) {
        try require(state == .opened || state == .stopped, "a start")
        try check(features, queues)
        do throws(BackendError) {
            try DeviceStart(
                device: device, mapper: mapper,
                enablesAfterDriverOK: negotiated.acknowledgedBackendFeatures.contains(.enableAfterDriverOK),
                configurationInterrupt: configurationInterrupt
            ).run(features, queues)
        } catch {
            logger.debug("start failed: \(error)")
            throw recover(from: error)
        }
        self.queues = queues
        needsReset = false
        state = .started
    }

    /// Refuses what the device cannot do before it is told anything.
    private func check(_ features: DeviceFeatures, _ queues: [VringSetup]) throws(BackendError) {
        guard negotiated.deviceFeatures.isSuperset(of: features) else {
            let missing = features.subtracting(negotiated.deviceFeatures)
            throw BackendError(.featuresRefused, "the device does not offer the features \(missing)")
        }
        for queue in queues {
            guard queue.index.rawValue < negotiated.vringCount else {
                throw BackendError(
                    .invalidQueue, "queue \(queue.index): the device has \(negotiated.vringCount) queues")
            }
            let size = queue.size
            guard size > 0, size <= negotiated.maximumVringSize,
                size & (size - 1) == 0 || features.contains(.packedRing)
            else {
                throw BackendError(
                    .invalidQueue,
                    "queue \(queue.index) cannot have the size \(size): a power of two up to"
                        + " \(negotiated.maximumVringSize) is needed")
            }
        }
    }

    /// Takes a failed start back, and returns its error with what became of the device.
    private func recover(from error: BackendError) -> BackendError {
        do throws(BackendError) {
            try resetting(.failedStart) { (stop) throws(BackendError) in try stop.reset(isQuiet: false) }
            state = .stopped
            return error
        } catch {
            state = .failed
            return error.adding("the device could not be reset after it")
        }
    }
}
