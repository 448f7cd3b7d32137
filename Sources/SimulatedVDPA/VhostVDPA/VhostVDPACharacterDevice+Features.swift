internal import GuestMemory
internal import SystemPackage
internal import VhostVDPA
internal import Virtio

/// Negotiation, status, suspend and resume.
extension VhostVDPACharacterDevice {
    /// What GET_BACKEND_FEATURES answers: vhost-vdpa's own, what the parent's operations allow, what it declares.
    var offeredBackendFeatures: BackendFeatures {
        var features: BackendFeatures = [.messageV2, .iotlbBatch, .iotlbASID]
        if description.operations.contains(.suspend) { features.insert(.suspend) }
        if description.operations.contains(.resume), kernel.hasResume { features.insert(.resume) }
        if description.operations.contains(.descriptorGroup) { features.insert(.descriptorASID) }
        if keepsMaps { features.insert(.iotlbPersist) }
        return features.union(description.declaredBackendFeatures)
    }

    /// `vhost_vdpa_has_persistent_map`, which does not exist before 6.7.
    private var keepsMaps: Bool {
        kernel.hasResetMap
            && (description.mapOperation == .platform || description.operations.contains(.resetMap)
                || description.declaredBackendFeatures.contains(.iotlbPersist))
    }

    /// Takes what the kernel takes, which is not quite what it offers: some bits are never checked.
    func setBackendFeatures(_ argument: UInt) throws(Errno) {
        let wanted = BackendFeatures(rawValue: try CallerMemory.load(UInt64.self, at: argument))
        guard wanted.isSubset(of: kernel.knownBackendFeatures) else { throw .operationNotSupported }
        let operations = description.operations
        if wanted.contains(.suspend), !operations.contains(.suspend) { throw .operationNotSupported }
        if wanted.contains(.resume), !operations.contains(.resume) { throw .operationNotSupported }
        if wanted.contains(.descriptorASID) {
            guard wanted.contains(.iotlbASID) else { throw .invalidArgument }
            guard operations.contains(.descriptorGroup) else { throw .operationNotSupported }
        }
        if wanted.contains(.iotlbPersist), !keepsMaps { throw .operationNotSupported }
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
