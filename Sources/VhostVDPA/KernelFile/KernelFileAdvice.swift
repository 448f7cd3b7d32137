internal import SystemPackage

/// What a failed open of a device file means, and what to do about it.
enum KernelFileAdvice {
    static func opening(_ path: FilePath, _ errno: Errno) -> String? {
        switch errno {
        case .noSuchFileOrDirectory, .noSuchAddressOrDevice, .operationNotSupportedByDevice:
            "there is no such vhost-vdpa device; load the driver (`modprobe vhost_vdpa`), then make a device"
                + " (`vdpa mgmtdev show`, `vdpa dev add name vdpa0 mgmtdev NAME`) and see which /dev/vhost-vdpa-N"
                + " appears; a device bound to virtio_vdpa has none"
        case .permissionDenied, .notPermitted:
            "no permission to read and write it; run as root, or `chown` the file to your user, or have a"
                + " privileged parent open it and pass `fd:N`"
        case .resourceBusy:
            "another process holds the device, which takes one at a time;"
                + " see `fuser -v \(path)` for which, and end it"
        case Errno(rawValue: 524):
            "the device's IOMMU does not keep caches coherent, which vhost-vdpa requires"
        default: nil
        }
    }
}
