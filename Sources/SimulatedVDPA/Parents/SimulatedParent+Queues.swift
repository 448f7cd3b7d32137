internal import GuestMemory
package import SystemPackage
internal import VhostVDPA
internal import VirtQueue
internal import VirtioNet

/// Queues: a queue runs while DRIVER_OK is set, it is enabled and the device is not suspended.
extension SimulatedParent {
    package func setQueueSize(_ size: UInt32, queue: Int) { queues[queue].size = size }

    package func setQueueAddresses(_ addresses: RingAddresses, queue: Int) throws(Errno) {
        queues[queue].addresses = addresses
    }

    /// vp_vdpa takes only what the device has anyway, the beginning of an empty ring, at a moment when nothing
    /// can have moved yet (`vp_vdpa_set_vq_state`).
    package func setQueueBase(_ base: UInt16, queue: Int) throws(Errno) {
        if !behaviour.hasRingState {
            let isFresh = storedStatus.contains(.featuresOK) && !queues[queue].isReady
            guard isFresh, base == 0 else { throw .operationNotSupported }
        }
        queues[queue].base = base
    }

    /// EOPNOTSUPP where the driver cannot say (`vp_vdpa_get_vq_state`). The position is the data path's while the queue
    /// runs.
    package func queueBase(_ queue: Int) throws(Errno) -> UInt16 {
        guard behaviour.hasRingState else { throw .operationNotSupported }
        faults.delay()
        return queues[queue].isStarted ? dataPath.position(of: queue) : queues[queue].base
    }

    /// vdpa_sim: the maximum until DRIVER_OK, then what the driver set (verified on 6.12.117: conformance rule
    /// 24). The others have a register that begins at the maximum and takes what the driver sets.
    package func queueSize(_ queue: Int) -> UInt32 {
        let (set, maximum) = (queues[queue].size, UInt32(profile.maximumQueueSize))
        if behaviour.resetForgetsQueueSizes { return set == 0 ? maximum : set }
        return storedStatus.contains(.driverOK) ? set : maximum
    }

    package func setQueueReady(_ isReady: Bool, queue: Int) {
        let wasReady = queues[queue].isReady
        queues[queue].isReady = isReady
        if isReady, !wasReady { arm(queue) }
        if isReady { startIfAllowed(queue) } else { stop(queue) }
    }

    package func setKick(_ file: EventFile?, queue: Int) throws(Errno) {
        do throws(Errno) {
            try dataPath.setKick(file?.descriptor, queue: queue)
        } catch {
            throw SimulationFailure.note("dup of a kick's eventfd", error)
        }
    }

    package func setCallback(_ file: EventFile?, queue: Int) throws(Errno) {
        do throws(Errno) {
            try dataPath.setCall(file?.descriptor, queue: queue)
        } catch {
            throw SimulationFailure.note("dup of a call's eventfd", error)
        }
    }

    package func group(ofQueue queue: Int) -> UInt32 { profile.group(ofQueue: queue) }

    package func descriptorGroup(ofQueue queue: Int) -> UInt32 { 0 }

    /// Freezes what an enable sees. A size no ring can have leaves the previous ring, as vringh does.
    private func arm(_ queue: Int) {
        let state = queues[queue]
        guard let size = UInt16(exactly: state.size), size.nonzeroBitCount == 1 else { return }
        queues[queue].armed = ParentQueue.Armed(
            layout: SplitQueueLayout(
                size: size, descriptorTable: state.addresses.descriptorTable,
                availRing: state.addresses.availRing, usedRing: state.addresses.usedRing),
            features: VirtQueueFeatures(rawValue: driverFeatures & profile.dataPathFeatures.rawValue))
    }

    func startIfAllowed(_ queue: Int) {
        let state = queues[queue]
        guard isRunning, state.isReady, !state.isStarted, let armed = state.armed else { return }
        dataPath.startQueue(queue, layout: armed.layout, features: armed.features, base: state.base)
        queues[queue].isStarted = true
    }

    func stop(_ queue: Int) {
        guard queues[queue].isStarted else { return }
        queues[queue].base = dataPath.stopQueue(queue)
        queues[queue].isStarted = false
    }
}
