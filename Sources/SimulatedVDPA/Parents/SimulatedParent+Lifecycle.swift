package import SystemPackage
internal import VirtioNet
package import VhostVDPA

/// Features, status, suspend and reset.
extension SimulatedParent {
    package var deviceFeatures: UInt64 { profile.features.rawValue }

    /// Takes the features the device has; EINVAL without ACCESS_PLATFORM where the driver insists on it.
    package func setDriverFeatures(_ features: UInt64) throws(Errno) {
        let translates = features & DeviceFeatures.accessPlatform.rawValue != 0
        guard translates || !behaviour.requiresAccessPlatform else { throw .invalidArgument }
        driverFeatures = features & deviceFeatures
    }

    package var status: DeviceStatus { events.needsReset ? storedStatus.union(.needsReset) : storedStatus }

    package func setStatus(_ status: DeviceStatus) {
        let starts = status.contains(.driverOK) && !storedStatus.contains(.driverOK)
        storedStatus = status
        setRunning(status.contains(.driverOK))
        if starts, faults.diesAtStart() { die() }
    }

    package func suspend() throws(Errno) {
        faults.delay()
        try faults.checkSuspend()
        dataPath.holdKicks()
        setRunning(false)
    }

    /// Starts the queues again and kicks each where a kick in the meantime was kept.
    package func resume() throws(Errno) {
        faults.delay()
        let wasKicked = dataPath.releaseKicks()
        setRunning(true)
        guard wasKicked else { return }
        for queue in queues.indices where queues[queue].isStarted { dataPath.kick(queue) }
    }

    package func reset() throws(Errno) { reset([]) }

    package func compatReset(_ flags: ResetFlags) throws(Errno) { reset(flags) }

    /// Stops for good, until a reset, and asks for one (virtio 1.2, section 2.1.1).
    private func die() {
        setRunning(false)
        events.requestReset()
    }

    private func setRunning(_ shouldRun: Bool) {
        isRunning = shouldRun
        for queue in queues.indices {
            if shouldRun { startIfAllowed(queue) } else { stop(queue) }
        }
    }

    /// Stops everything before anything is taken away. Kick descriptors stay bound: vhost polls on.
    private func reset(_ flags: ResetFlags) {
        faults.delay()
        setRunning(false)
        for queue in queues.indices {
            queues[queue].reset(forgetsSize: behaviour.resetForgetsQueueSizes)
            try? dataPath.setCall(nil, queue: queue)
        }
        iommu.resetGroups()
        if flags.contains(.cleanMap) || behaviour.wipesOnReset || faults.losesMaps { iommu.loseMaps() }
        driverFeatures = 0
        storedStatus = []
        events.reset()
    }
}
