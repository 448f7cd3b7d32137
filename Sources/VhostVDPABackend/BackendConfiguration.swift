public import VhostVDPA

/// How a backend treats its device.
public struct BackendConfiguration: Hashable, Sendable {
    /// What is done about maps around a reset.
    public var persist: PersistPolicy
    /// The backend features that are acknowledged where they are offered. ``PersistPolicy/off`` takes
    /// IOTLB_PERSIST away from them.
    ///
    /// RESUME and DESC_ASID are not among the default: nothing here uses them.
    public var wantedBackendFeatures: BackendFeatures
    /// Whether guest memory is mapped when the device is opened, or by its first start.
    ///
    /// Early maps take the time of pinning out of the first start (QEMU does it from 10.1 on).
    public var mapsWhenOpened: Bool
    /// Whether the device must answer for maps that it is given in a batch.
    public var mapVerification: MapVerification
    /// What every log line of the backend begins with, to tell devices apart; empty for none.
    public var logPrefix: String

    /// A configuration of its parts.
    public init(
        persist: PersistPolicy = .auto,
        wantedBackendFeatures: BackendFeatures = [
            .messageV2, .iotlbBatch, .iotlbASID, .suspend, .enableAfterDriverOK, .iotlbPersist,
        ],
        mapsWhenOpened: Bool = true, mapVerification: MapVerification = .always, logPrefix: String = ""
    ) {
        self.persist = persist
        self.wantedBackendFeatures = wantedBackendFeatures
        self.mapsWhenOpened = mapsWhenOpened
        self.mapVerification = mapVerification
        self.logPrefix = logPrefix
    }

    /// What of `offered` is acknowledged.
    func acknowledgement(of offered: BackendFeatures) -> BackendFeatures {
        offered.intersection(
            persist == .off ? wantedBackendFeatures.subtracting(.iotlbPersist) : wantedBackendFeatures)
    }
}
