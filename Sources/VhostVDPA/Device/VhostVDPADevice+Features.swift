internal import CLinux
public import GuestMemory
internal import SystemPackage
public import Virtio

/// What device and backend offer, and the device's status.
extension VhostVDPADevice {
    /// GET_FEATURES: the virtio features that the device offers, of the first 64. Needs no owner.
    public func features() throws(VhostVDPAError) -> VirtioFeatures {
        var value: UInt64 = 0
        try call(clinux_vhost_get_features, with: &value)
        return VirtioFeatures(low: value)
    }

    /// SET_FEATURES. EBUSY once FEATURES_OK is set; EINVAL where the parent refuses.
    public func setFeatures(_ features: VirtioFeatures) throws(VhostVDPAError) {
        var value = features.low
        try call(clinux_vhost_set_features, with: &value)
    }

    /// GET_BACKEND_FEATURES: what vhost-vdpa offers for this device.
    public func backendFeatures() throws(VhostVDPAError) -> BackendFeatures {
        var value: UInt64 = 0
        try call(clinux_vhost_get_backend_features, with: &value)
        return BackendFeatures(rawValue: value)
    }

    /// SET_BACKEND_FEATURES: replaces the acknowledgement. EOPNOTSUPP for a bit that is not offered.
    public func setBackendFeatures(_ features: BackendFeatures) throws(VhostVDPAError) {
        var value = features.rawValue
        try call(clinux_vhost_set_backend_features, with: &value)
    }

    /// SET_OWNER: binds the device to this process, whose memory it maps. EBUSY where it has an owner.
    public func setOwner() throws(VhostVDPAError) {
        try call(clinux_vhost_set_owner)
    }

    /// GET_STATUS.
    public func status() throws(VhostVDPAError) -> DeviceStatus {
        var value: UInt8 = 0
        try call(clinux_vdpa_get_status, with: &value)
        return DeviceStatus(rawValue: value)
    }

    /// SET_STATUS: all of the bits, not the new ones. `DeviceStatus.reset` resets the device.
    ///
    /// EINVAL where a set bit is dropped and the value is not zero.
    public func setStatus(_ status: DeviceStatus) throws(VhostVDPAError) {
        var value = status.rawValue
        try call(clinux_vdpa_set_status, with: &value)
    }

    /// SUSPEND: no more work after it, ring state intact. Success and nothing done before DRIVER_OK.
    public func suspend() throws(VhostVDPAError) {
        try call(clinux_vdpa_suspend)
    }

    /// RESUME: a suspended device goes on.
    public func resume() throws(VhostVDPAError) {
        try call(clinux_vdpa_resume)
    }

    /// GET_DEVICE_ID: the virtio device type.
    public func deviceID() throws(VhostVDPAError) -> VirtioDeviceID {
        VirtioDeviceID(rawValue: try number(clinux_vdpa_get_device_id))
    }

    /// GET_VQS_COUNT: the number of virtqueues. Linux 5.19 and later.
    public func vringCount() throws(VhostVDPAError) -> UInt32 {
        try number(clinux_vdpa_get_vqs_count)
    }

    /// GET_AS_NUM: the number of address spaces.
    public func addressSpaceCount() throws(VhostVDPAError) -> UInt32 {
        try number(clinux_vdpa_get_as_num)
    }

    /// GET_GROUP_NUM: the number of virtqueue groups.
    public func vringGroupCount() throws(VhostVDPAError) -> UInt32 {
        try number(clinux_vdpa_get_group_num)
    }

    /// GET_IOVA_RANGE: the addresses the device can use.
    public func iovaRange() throws(VhostVDPAError) -> IOVARange {
        var value = vhost_vdpa_iova_range()
        try call(clinux_vdpa_get_iova_range, with: &value)
        guard
            let range = IOVARange(first: .init(rawValue: value.first), last: .init(rawValue: value.last))
        else {
            throw VhostVDPAError(
                .ioctl, call: "GET_IOVA_RANGE()", errno: .outOfRange,
                context: "the device reports an empty range: first \(value.first), last \(value.last)")
        }
        return range
    }

    func number(_ request: UInt) throws(VhostVDPAError) -> UInt32 {
        var value: UInt32 = 0
        try call(request, with: &value)
        return value
    }
}
