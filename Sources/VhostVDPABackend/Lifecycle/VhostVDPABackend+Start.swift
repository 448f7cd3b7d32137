internal import CLinux
internal import Logging
internal import SystemPackage
public import VhostVDPA

/// A start of the device.
extension VhostVDPABackend {
    /// Starts the device with `features` and `queues`, whatever it ran with before.
    ///
    /// The order: features and FEATURES_OK; the maps in one batch, if none are kept; for each queue its size,
    /// base, addresses, kick (if it is not bound already) and call; enable and DRIVER_OK; a kick for every queue, as one that came while the
    /// device was off is lost (drivers/vhost/vdpa.c).
    ///
    /// On an error the device is reset, its maps are removed, and the state is ``BackendState/stopped`` and
    /// ``MappingState/unmapped``: it can be started again. Where even that fails the state is
    /// ``BackendState/failed``.
    public func start(features: DeviceFeatures, queues: [VringSetup]) throws(BackendError) {
        try require(state == .opened || state == .stopped, "a start")
        lastStartReachedDriverOK = false
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

    private func run(_ features: DeviceFeatures, _ queues: [VringSetup]) throws(BackendError) {
        try negotiate(features)
        if mapping == .unmapped { try mapper.map() } else { try mapper.reuse() }
        try call("setting up the queues") { () throws(VhostVDPAError) in
            for queue in queues {
                try device.setSize(queue.size, of: queue.index)
                try device.setBase(queue.base, of: queue.index)
                try device.setAddresses(
                    descriptors: queue.descriptorTable, avail: queue.availRing, used: queue.usedRing,
                    of: queue.index)
                try bindKick(of: queue)
                // A reset makes the device forget the call, whatever vhost remembers.
                try device.setCall(queue.call, of: queue.index)
            }
            try device.setConfigurationInterrupt(configurationInterrupt)
            let enablesLast = negotiated.acknowledgedBackendFeatures.contains(.enableAfterDriverOK)
            if !enablesLast { for queue in queues { try device.setEnabled(true, of: queue.index) } }
            lastStartReachedDriverOK = true
            try device.setStatus([.acknowledge, .driver, .featuresOK, .driverOK])
            if enablesLast { for queue in queues { try device.setEnabled(true, of: queue.index) } }
        }
        for queue in queues { try kick(queue) }
    }

    /// Has the kernel poll the queue's kick eventfd, unless it does so since an earlier start.
    ///
    /// The binding is vhost's, not the device's: a reset leaves it (vhost_vdpa_reset touches no virtqueue's kick),
    /// and SET_VRING_KICK with the file that is bound changes nothing (vhost_vring_ioctl). The same number is
    /// the same file, as ``VringSetup/kick`` stays open until the device is closed. The call and the configuration
    /// interrupt are different: parents forget them in a reset.
    private func bindKick(of queue: VringSetup) throws(VhostVDPAError) {
        let index = Int(queue.index.rawValue)
        if index < boundKicks.count, boundKicks[index] == queue.kick { return }
        try device.setKick(queue.kick, of: queue.index)
        var kicks = boundKicks
        while kicks.count <= index { kicks.append(nil) }
        kicks[index] = queue.kick
        boundKicks = kicks
    }

    private func negotiate(_ features: DeviceFeatures) throws(BackendError) {
        let status = try call("negotiating features") { () throws(VhostVDPAError) in
            try device.setFeatures(features)
            try device.setStatus([.acknowledge, .driver, .featuresOK])
            return try device.status()
        }
        guard status.contains(.featuresOK) else {
            throw BackendError(
                .featuresRefused,
                "the device does not accept the features \(features): its status is \(status) without FEATURES_OK"
            )
        }
    }

    /// Refuses what the device cannot do before it is told anything.
    private func check(_ features: DeviceFeatures, _ queues: [VringSetup]) throws(BackendError) {
        let missing = features.subtracting(negotiated.deviceFeatures)
        guard missing.isEmpty else {
            throw BackendError(.featuresRefused, "the device does not offer the features \(missing)")
        }
        for queue in queues {
            guard queue.index.rawValue < negotiated.vringCount else {
                throw BackendError(
                    .invalidQueue, "queue \(queue.index): the device has \(negotiated.vringCount) queues")
            }
            let size = queue.size
            guard size > 0, size & (size - 1) == 0 || features.contains(.packedRing),
                size <= negotiated.maximumVringSize
            else {
                throw BackendError(
                    .invalidQueue,
                    "queue \(queue.index) cannot have the size \(size): a power of two up to"
                        + " \(negotiated.maximumVringSize) is needed")
            }
        }
    }

    /// Kicks as the driver would. A counter at its maximum says already what the kick would say.
    func kick(_ queue: VringSetup) throws(BackendError) {
        let result = clinux_eventfd_signal(queue.kick.rawValue)
        guard result < 0 else { return }
        let errno = Errno(rawValue: -result)
        throw BackendError(.systemCall, "kicking queue \(queue.index): \(errno)", errno: errno)
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
