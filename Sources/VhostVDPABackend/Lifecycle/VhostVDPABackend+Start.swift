internal import CLinux
internal import Logging
internal import SystemPackage
public import VhostVDPA

/// A start of the device.
extension VhostVDPABackend {
    /// Starts the device with `features` and `queues`, whatever it ran with before.
    ///
    /// The order: features and FEATURES_OK; the maps in one batch, if none are kept; for each queue its size,
    /// base, addresses, call and kick; enable and DRIVER_OK; a kick for every queue, as one that came while the
    /// device was off is lost (drivers/vhost/vdpa.c).
    ///
    /// The eventfds are told in every start, as QEMU does. The call must be: parents forget it in a reset. The kick's
    /// binding is vhost's and stands, but only the caller knows whether a number is still the same file.
    ///
    /// On an error the device is reset, its maps are removed, and the state is ``BackendState/stopped`` and
    /// ``MappingState/unmapped``: it can be started again. Where even that fails the state is
    /// ``BackendState/failed``.
    public func start(features: DeviceFeatures, queues: [VringSetup]) throws(BackendError) {
        // Before anything is refused: a start that is not made reaches nothing.
        lastStartReachedDriverOK = false
        try require(state == .opened || state == .stopped, "a start")
        try check(features, queues)
        do throws(BackendError) {
            try run(features, queues)
        } catch {
            logger.debug("start failed: \(error)")
            throw recover(from: error)
        }
        self.queues = queues
        needsReset = false
        state = .started
    }

    @inline(__always)
    private func run(_ features: DeviceFeatures, _ queues: [VringSetup]) throws(BackendError) {
        try negotiate(features)
        if mapping == .unmapped { try mapper.map() } else { try mapper.reuse() }
        do throws(VhostVDPAError) {
            for queue in queues {
                try device.setSize(queue.size, of: queue.index)
                try device.setBase(queue.base, of: queue.index)
                try device.setAddresses(
                    descriptors: queue.descriptorTable, avail: queue.availRing, used: queue.usedRing,
                    of: queue.index)
                try device.setCall(queue.call, of: queue.index)
                try device.setKick(queue.kick, of: queue.index)
            }
            try device.setConfigurationInterrupt(configurationInterrupt)
            let enablesLast = negotiated.acknowledgedBackendFeatures.contains(.enableAfterDriverOK)
            if !enablesLast { for queue in queues { try device.setEnabled(true, of: queue.index) } }
            lastStartReachedDriverOK = true
            try device.setStatus([.acknowledge, .driver, .featuresOK, .driverOK])
            if enablesLast { for queue in queues { try device.setEnabled(true, of: queue.index) } }
        } catch {
            throw BackendError("setting up the queues", error)
        }
        for queue in queues { try kick(queue) }
    }

    @inline(__always)
    private func negotiate(_ features: DeviceFeatures) throws(BackendError) {
        let status = try call("negotiating features") { () throws(VhostVDPAError) in
            try device.setFeatures(features)
            try device.setStatus([.acknowledge, .driver, .featuresOK])
            return try device.status()
        }
        if !status.contains(.featuresOK) { throw refusal(of: features, status) }
    }

    @inline(never)
    private func refusal(of features: DeviceFeatures, _ status: DeviceStatus) -> BackendError {
        BackendError(
            .featuresRefused,
            "the device does not accept the features \(features): its status is \(status) without FEATURES_OK"
        )
    }

    /// Refuses what the device cannot do before it is told anything.
    @inline(__always)
    private func check(_ features: DeviceFeatures, _ queues: [VringSetup]) throws(BackendError) {
        if !negotiated.deviceFeatures.isSuperset(of: features) { throw missing(features) }
        for queue in queues {
            let size = queue.size
            let isPossible =
                queue.index.rawValue < negotiated.vringCount && size > 0
                && size <= negotiated.maximumVringSize
                && (size & (size - 1) == 0 || features.contains(.packedRing))
            if !isPossible { throw refusal(of: queue) }
        }
    }

    @inline(never)
    private func missing(_ features: DeviceFeatures) -> BackendError {
        let missing = features.subtracting(negotiated.deviceFeatures)
        return BackendError(.featuresRefused, "the device does not offer the features \(missing)")
    }

    @inline(never)
    private func refusal(of queue: VringSetup) -> BackendError {
        guard queue.index.rawValue < negotiated.vringCount else {
            return BackendError(
                .invalidQueue, "queue \(queue.index): the device has \(negotiated.vringCount) queues")
        }
        return BackendError(
            .invalidQueue,
            "queue \(queue.index) cannot have the size \(queue.size): a power of two up to"
                + " \(negotiated.maximumVringSize) is needed")
    }

    /// Kicks as the driver would. A counter at its maximum says already what the kick would say.
    @inline(__always)
    func kick(_ queue: VringSetup) throws(BackendError) {
        let result = clinux_eventfd_signal(queue.kick.rawValue)
        if result < 0 { throw refusal(of: queue, Errno(rawValue: -result)) }
    }

    @inline(never)
    private func refusal(of kick: VringSetup, _ errno: Errno) -> BackendError {
        BackendError(.systemCall, "kicking queue \(kick.index): \(errno)", errno: errno)
    }

    /// Takes a failed start back, and returns its error with what became of the device.
    private func recover(from error: BackendError) -> BackendError {
        do throws(BackendError) {
            try resetDevice(reason: .failedStart, isQuiet: false)
            state = .stopped
            return error
        } catch {
            state = .failed
            return error.adding("the device could not be reset after it")
        }
    }
}
