internal import GuestMemory
internal import SystemPackage
internal import VhostVDPA
internal import Virtio

/// Negotiation, status, suspend and resume.
extension VhostVDPACharacterDevice {
    func setBackendFeatures(_ argument: UInt) throws(Errno) {
        let wanted = BackendFeatures(rawValue: try CallerMemory.load(UInt64.self, at: argument))
        try backendFeatureOffer.check(wanted)
        backendFeatures = wanted
    }

    /// EBUSY comes before the address is looked at; whatever the parent objects to is EINVAL.
    func setFeatures(_ argument: UInt) throws(Errno) {
        guard !parent.status.contains(.featuresOK) else { throw .resourceBusy }
        let features = VirtioFeatures(low: try CallerMemory.load(UInt64.self, at: argument))
        do throws(Errno) {
            try parent.setDriverFeatures(features)
        } catch {
            throw .invalidArgument
        }
    }

    /// Bits may be added, or all of them dropped at once, which resets the device.
    func setStatus(_ argument: UInt) throws(Errno) {
        let wanted = DeviceStatus(rawValue: try CallerMemory.load(UInt8.self, at: argument))
        guard wanted.isEmpty || parent.status.isSubset(of: wanted) else { throw .invalidArgument }
        if wanted.isEmpty {
            try resetDevice()
        } else {
            parent.setStatus(wanted)
        }
    }

    func suspend() throws(Errno) {
        let canSuspend = description.operations.contains(.suspend)
        if kernel.checksSuspendOperationFirst, !canSuspend { throw .operationNotSupported }
        guard parent.status.contains(.driverOK) else { return }
        guard canSuspend else { throw .operationNotSupported }
        try parent.suspend()
        isSuspended = true
    }

    func resume() throws(Errno) {
        guard parent.status.contains(.driverOK) else { return }
        guard description.operations.contains(.resume) else { throw .operationNotSupported }
        try parent.resume()
        isSuspended = false
    }
}
