package import SystemPackage
package import VhostVDPA

/// The backend features of vhost-vdpa over one parent: what GET_BACKEND_FEATURES answers and what
/// SET_BACKEND_FEATURES takes, which is not quite the same (drivers/vhost/vdpa.c).
package struct BackendFeatureOffer {
    private let kernel: KernelVersion
    private let operations: ParentOperations
    /// What the parent declares itself.
    private let declared: BackendFeatures
    /// `vhost_vdpa_has_persistent_map`, which does not exist before 6.7.
    private let keepsMaps: Bool

    /// The offer of `kernel`'s vhost-vdpa over the parent that `description` is of.
    package init(kernel: KernelVersion, description: ParentDescription) {
        self.kernel = kernel
        operations = description.operations
        declared = description.declaredBackendFeatures
        keepsMaps =
            kernel.hasResetMap
            && (description.mapOperation == .platform || operations.contains(.resetMap)
                || declared.contains(.iotlbPersist))
    }

    /// vhost-vdpa's own, what the parent's operations allow, what it declares.
    package var offered: BackendFeatures {
        var features: BackendFeatures = [.messageV2, .iotlbBatch, .iotlbASID]
        if operations.contains(.suspend) { features.insert(.suspend) }
        if operations.contains(.resume), kernel.hasResume { features.insert(.resume) }
        if operations.contains(.descriptorGroup) { features.insert(.descriptorASID) }
        if keepsMaps { features.insert(.iotlbPersist) }
        return features.union(declared)
    }

    /// Objects to `wanted` as the kernel does, and in its order: some bits are never held against the offer.
    package func check(_ wanted: BackendFeatures) throws(Errno) {
        guard wanted.isSubset(of: kernel.knownBackendFeatures) else { throw .operationNotSupported }
        if wanted.contains(.suspend), !operations.contains(.suspend) { throw .operationNotSupported }
        if wanted.contains(.resume), !operations.contains(.resume) { throw .operationNotSupported }
        if wanted.contains(.descriptorASID) {
            guard wanted.contains(.iotlbASID) else { throw .invalidArgument }
            guard operations.contains(.descriptorGroup) else { throw .operationNotSupported }
        }
        if wanted.contains(.iotlbPersist), !keepsMaps { throw .operationNotSupported }
    }
}
