internal import DeviceScripts
internal import Virtio

/// Rules on status and features.
enum StatusRules {
    static let all: [ClientRule] = [
        ClientRule(
            220, .status, .warning, "FEATURES_OK is read back before DRIVER_OK",
            reason:
                "a device that does not accept the features leaves FEATURES_OK out, and SET_STATUS succeeds all the same:"
                + " only GET_STATUS tells.",
            advice: "GET_STATUS after FEATURES_OK, and no DRIVER_OK where the bit is missing",
            source: "virtio 1.2, 3.1.1, step 6; vhost_vdpa_set_status, drivers/vhost/vdpa.c"
        ) { moment in
            guard moment.isStart, moment.newStatus?.contains(.featuresOK) == true,
                !moment.file.hasReadFeaturesOK
            else { return [] }
            return moment.breach(
                "the device has not said, since it was given FEATURES_OK, that the bit stayed")
        },
        ClientRule(
            221, .status, .error, "Status bits are set in order, and dropped all at once",
            reason:
                "ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK: the kernel takes any bit that is added, and a parent does what"
                + " belongs to it, as mlx5 makes its queues at DRIVER_OK, of whatever features there are. A bit that is"
                + " dropped alone is EINVAL.",
            advice: "give each bit with those before it; 0 to begin again",
            source: "virtio 1.2, 3.1.1; vhost_vdpa_set_status, drivers/vhost/vdpa.c"
        ) { moment in
            guard let new = moment.newStatus, new != .reset else { return [] }
            let old = moment.file.status.subtracting(.needsReset)
            guard old.isSubset(of: new) || moment.isSuccess else {
                return moment.breach("\(old) cannot become \(new)")
            }
            let order: [DeviceStatus] = [.acknowledge, .driver, .featuresOK, .driverOK]
            for (earlier, later) in zip(order, order.dropFirst())
            where new.contains(later) && !new.contains(earlier) {
                return moment.breach("\(new) has \(later) without \(earlier)")
            }
            return []
        },
    ]
}
