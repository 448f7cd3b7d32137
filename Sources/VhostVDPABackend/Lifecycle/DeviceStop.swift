internal import Logging
internal import SystemPackage
internal import VhostVDPA
internal import Virtio

/// A stop of a device, and a reset of one, from SUSPEND to ACKNOWLEDGE and DRIVER: what reaches the device, and in
/// which order.
///
/// Between calls that no rule orders the order is QEMU's. It and Cloud Hypervisor beside it:
///
/// | | call | why here | QEMU 10 | Cloud Hypervisor |
/// |---|---|---|---|---|
/// | 1 | SUSPEND, if it is acknowledged | a ring position counts only of a device that does nothing any more | the same | where a migration begins, never in a reset |
/// | 2 | GET_VRING_BASE of each queue, if the device is suspended | a reset forgets them | the same; of a device without SUSPEND after 4 | never: its rings begin at 0 |
/// | 3 | the maps, if they go and the device is quiet | the earliest moment at which it touches no memory | after 4, always | apart from a stop |
/// | 4 | SET_STATUS 0 | a start of another shape needs a device that is reset | the same | after ENABLE 0 of each queue |
/// | 5 | the maps, if they go and the device was live until here | unmapping under a live device is a DMA fault | the same; some versions after 6 | apart from a stop |
/// | 6 | SET_STATUS with ACKNOWLEDGE and DRIVER | the device is known, and has a driver; not before a close | the same | at the next start, with DRIVER_OK |
struct DeviceStop {
    let device: VhostVDPADevice
    let mapper: MemoryMapper
    let logger: Logger
    let reason: ResetReason
    /// What becomes of the maps.
    let decision: MapDecision

    /// Stops a device that runs, or `isSuspended` already, and returns where its `queues` stood.
    ///
    /// `suspends` says that SUSPEND is acknowledged, `isBroken` that the device has asked for a reset: nothing that it
    /// says counts then, and it is asked nothing.
    func run(
        _ queues: [VringSetup], isSuspended: Bool, suspends: Bool, isBroken: Bool
    ) throws(BackendError) -> [VringState] {
        let isQuiet = isSuspended || (suspends && !isBroken && suspend())
        let states = queues.map { position(of: $0.index, isQuiet: isQuiet, isBroken: isBroken) }
        try reset(isQuiet: isQuiet)
        return states
    }

    /// Resets the device and leaves it at ACKNOWLEDGE and DRIVER, unless it is about to be closed, with its maps as was
    /// decided.
    ///
    /// `isQuiet` says that the device touches no memory any more, so that maps can go before the reset.
    func reset(isQuiet: Bool) throws(BackendError) {
        let isFlushed = isQuiet && !decision.keepsMaps && flushBeforeReset()
        try setStatus(.reset)
        if !decision.keepsMaps {
            if !isFlushed { try mapper.flush() }
        } else if mapper.state.reachesDevice {
            try mapper.keep()
        }
        if reason != .close { try setStatus([.acknowledge, .driver]) }
    }

    /// Whether the device is quiet after this.
    private func suspend() -> Bool {
        do throws(VhostVDPAError) {
            try device.suspend()
            return true
        } catch {
            logger.warning("\(error); the device is reset without its ring positions")
            return false
        }
    }

    /// What a live device says is old when it arrives, and a ring that goes on from it repeats chains or loses them
    /// (QEMU does not trust it either).
    private func position(of vring: VringIndex, isQuiet: Bool, isBroken: Bool) -> VringState {
        if isBroken { return VringState(index: vring, loss: .deviceBroken) }
        guard isQuiet else { return VringState(index: vring, loss: .notSuspended) }
        do throws(VhostVDPAError) {
            return VringState(index: vring, base: try device.base(of: vring))
        } catch {
            // The kernel's EOPNOTSUPP, which Linux also calls ENOTSUP.
            if error.errno == .notSupportedOnSocket || error.errno == .notSupported {
                return VringState(index: vring, loss: .unsupported)
            }
            logger.warning("\(error); queue \(vring) has no ring position to go on from")
            return VringState(index: vring, loss: .failed(error))
        }
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

    private func setStatus(_ status: DeviceStatus) throws(BackendError) {
        try BackendError.calling("resetting the device") { () throws(VhostVDPAError) in
            try device.setStatus(status)
        }
    }
}
