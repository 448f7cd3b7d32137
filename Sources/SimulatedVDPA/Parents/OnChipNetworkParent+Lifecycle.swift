package import SystemPackage
internal import VirtioNet
package import VhostVDPA

/// Features, status, suspend and reset.
extension OnChipNetworkParent {
    package var deviceFeatures: UInt64 { profile.features.rawValue }

    /// Takes the features the device has; EINVAL without ACCESS_PLATFORM, since the device only translates.
    package func setDriverFeatures(_ features: UInt64) throws(Errno) {
        guard features & DeviceFeatures.accessPlatform.rawValue != 0 else { throw .invalidArgument }
        driverFeatures = features & deviceFeatures
    }

    package var status: DeviceStatus { events.needsReset ? storedStatus.union(.needsReset) : storedStatus }

    package func setStatus(_ status: DeviceStatus) {
        storedStatus = status
        setRunning(status.contains(.driverOK))
    }

    package func suspend() throws(Errno) { setRunning(false) }

    /// Starts the queues again and looks at each, since a kick in the meantime was kept, not lost.
    package func resume() throws(Errno) {
        setRunning(true)
        for queue in queues.indices where queues[queue].isStarted { dataPath.kick(queue) }
    }

    package func reset() throws(Errno) { reset([]) }

    package func compatReset(_ flags: ResetFlags) throws(Errno) { reset(flags) }

    private func setRunning(_ shouldRun: Bool) {
        isRunning = shouldRun
        for queue in queues.indices {
            if shouldRun { startIfAllowed(queue) } else { stop(queue) }
        }
    }

    /// Stops everything before anything is taken away. Kick descriptors stay bound: vhost polls on.
    private func reset(_ flags: ResetFlags) {
        setRunning(false)
        for queue in queues.indices {
            queues[queue].reset()
            dataPath.setCall(nil, queue: queue)
        }
        if groupAddressSpaces.contains(where: { $0 != 0 }) {
            for group in groupAddressSpaces.indices { groupAddressSpaces[group] = 0 }
            installTranslation(ofAddressSpace: 0)
        }
        if flags.contains(.cleanMap) || behaviour.wipesOnReset {
            for space in addressSpaces.indices { restoreInitialState(ofAddressSpace: space) }
        }
        driverFeatures = 0
        storedStatus = []
        events.reset()
    }
}
