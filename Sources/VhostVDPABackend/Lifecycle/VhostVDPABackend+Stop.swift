internal import Logging
internal import SystemPackage
internal import VhostVDPA

/// A stop and a reset of the device.
extension VhostVDPABackend {
    /// Stops a running device and returns where its queues stood, in the order of the start.
    ///
    /// The order: SUSPEND, if acknowledged; the ring bases; the maps, if they are not kept and the device is
    /// suspended; reset; the maps, if they are not kept and the device was live until then, as unmapping under a
    /// live device is a DMA fault; ACKNOWLEDGE and DRIVER.
    ///
    /// Without a successful SUSPEND no base is given: what a live device says is old when it arrives, and a
    /// ring that goes on from it repeats chains or loses them (QEMU does not trust it either).
    ///
    /// Maps that could not be removed before the reset are removed after it. On an error the state is
    /// ``BackendState/failed``.
    @discardableResult
    public func stop(reason: ResetReason = .stop) throws(BackendError) -> [VringState] {
        try require(state == .started || state == .suspended, "a stop")
        let isSuspended = state == .suspended || suspend()
        readPositions(isSuspended: isSuspended)
        try resetDevice(reason: reason, isQuiet: isSuspended)
        return positions
    }

    /// Asks where every queue stands, into the array of the last stop: making a new one takes as long as a device call.
    @inline(__always)
    private func readPositions(isSuspended: Bool) {
        // Taken out and put back, or every change would be checked for exclusive access.
        var states = positions
        positions = []
        let isSameCount = states.count == queues.count
        if !isSameCount { states.removeAll() }
        for place in queues.indices {
            let state = position(of: queues[place].index, isSuspended: isSuspended)
            if isSameCount { states[place] = state } else { states.append(state) }
        }
        positions = states
    }

    /// Resets the device, running or not, without asking it where its queues stand.
    ///
    /// For a guest whose driver starts over, and for a reset between the first map and DRIVER_OK.
    public func reset(reason: ResetReason = .guestReset) throws(BackendError) {
        try require(state.isUsable, "a reset")
        try resetDevice(reason: reason, isQuiet: state != .started)
    }

    /// Whether the device is quiet after this.
    @inline(__always)
    private func suspend() -> Bool {
        guard !needsReset, negotiated.acknowledgedBackendFeatures.contains(.suspend) else { return false }
        do throws(VhostVDPAError) {
            try device.suspend()
            return true
        } catch {
            logger.warning("\(error); the device is reset without its ring positions")
            return false
        }
    }

    @inline(__always)
    private func position(of vring: VringIndex, isSuspended: Bool) -> VringState {
        if needsReset { return VringState(index: vring, loss: .deviceBroken) }
        guard isSuspended else { return VringState(index: vring, loss: .notSuspended) }
        do throws(VhostVDPAError) {
            return VringState(index: vring, base: try device.base(of: vring))
        } catch {
            return lost(vring, error)
        }
    }

    @inline(never)
    private func lost(_ vring: VringIndex, _ error: VhostVDPAError) -> VringState {
        // The kernel's EOPNOTSUPP, which Linux also calls ENOTSUP.
        if error.errno == .notSupportedOnSocket || error.errno == .notSupported {
            return VringState(index: vring, loss: .unsupported)
        }
        logger.warning("\(error); queue \(vring) must start again from empty rings")
        return VringState(index: vring, loss: .failed(error))
    }

    /// Resets the device and leaves it at ACKNOWLEDGE and DRIVER, with its maps as the decision says.
    ///
    /// `isQuiet` says that the device touches no memory any more, so that maps can go before the reset.
    /// Before it is closed, ACKNOWLEDGE and DRIVER stay away. On an error the state is
    /// ``BackendState/failed``.
    func resetDevice(reason: ResetReason, isQuiet: Bool) throws(BackendError) {
        let decision = MapDecision.decide(decisionInput(reason: reason))
        log(decision, reason)
        do throws(BackendError) {
            var isFlushed = false
            if !decision.keepsMaps, isQuiet { isFlushed = flushBeforeReset() }
            try BackendError.calling("resetting the device") { () throws(VhostVDPAError) in
                try device.setStatus(.reset)
            }
            if decision.keepsMaps {
                if mapping.reachesDevice { try mapper.keep() }
            } else if !isFlushed {
                try mapper.flush()
            }
            if reason != .close {
                try BackendError.calling("resetting the device") { () throws(VhostVDPAError) in
                    try device.setStatus([.acknowledge, .driver])
                }
            }
        } catch {
            state = .failed
            throw error
        }
        lastDecision = decision
        needsReset = false
        queues = []
        state = state == .opened ? .opened : .stopped
    }

    /// Whether the maps are gone. A failure is tried again after the reset, with the whole address space.
    private func flushBeforeReset() -> Bool {
        do throws(BackendError) {
            try mapper.flush()
            return true
        } catch {
            logger.info("\(error); trying again after the reset")
            return false
        }
    }

    @inline(__always)
    private func log(_ decision: MapDecision, _ reason: ResetReason) {
        guard mapping.reachesDevice, isTraced || decision != .keep else { return }
        logLoudly(decision, reason)
    }

    @inline(never)
    private func logLoudly(_ decision: MapDecision, _ reason: ResetReason) {
        switch decision {
        case .keep: logger.debug("reset (\(reason)): maps kept")
        case .keepWithoutPromise:
            logger.warning(
                """
                reset (\(reason)): maps kept although IOTLB_PERSIST is not acknowledged (forced): the device may \
                have lost them
                """)
        case .flush(let cause): logger.debug("reset (\(reason)): maps removed: \(cause)")
        }
    }
}
