internal import CLinux
internal import VhostVDPA
internal import Virtio

/// Which phase of a cycle a device call belongs to. Pure.
enum DeviceCallPhase {
    /// The phase of an `ioctl(2)`; `nil` for one that no cycle has. `status` is SET_STATUS's argument.
    static func of(request: UInt, status: DeviceStatus?) -> CyclePhase? {
        switch request {
        case clinux_vdpa_suspend: .suspend
        case clinux_vhost_get_vring_base: .baseRead
        case clinux_vdpa_set_status:
            switch status {
            case .some(.reset): .reset
            case .some(let status) where status.contains(.driverOK): .enable
            default: .negotiate
            }
        case clinux_vdpa_get_status, clinux_vhost_set_features, clinux_vhost_get_features: .negotiate
        case clinux_vhost_set_vring_num, clinux_vhost_set_vring_base, clinux_vhost_set_vring_addr,
            clinux_vhost_set_vring_kick, clinux_vhost_set_vring_call, clinux_vdpa_set_config_call:
            .vringSetup
        case clinux_vdpa_set_vring_enable, clinux_vdpa_resume: .enable
        default: nil
        }
    }

    /// The phase of an IOTLB message that comes during `current`: a batch's markers belong to what the batch is for,
    /// and everything up to the reset is for unmapping.
    static func of(_ operation: IOTLBMessage.Operation, during current: CyclePhase) -> CyclePhase {
        switch operation {
        case .invalidate, .invalidateAll: .unmap
        case .update: .map
        case .batchBegin, .batchEnd:
            switch current {
            case .drain, .suspend, .baseRead, .unmap, .reset: .unmap
            case .negotiate, .map, .vringSetup, .enable: .map
            }
        }
    }
}
