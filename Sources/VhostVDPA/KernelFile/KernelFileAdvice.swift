internal import SystemPackage

/// What a failed open of a device file means, and what to do about it.
enum KernelFileAdvice {
    /// How to come by a device.
    static let find =
        "`ls /dev/vhost-vdpa-*` shows those there are; load the driver (`modprobe vhost_vdpa`), then make one"
        + " (`vdpa mgmtdev show`, `vdpa dev add name vdpa0 mgmtdev NAME`); a device bound to virtio_vdpa has none"

    static func opening(_ path: FilePath, _ errno: Errno) -> String? {
        switch errno {
        case .noSuchFileOrDirectory, .noSuchAddressOrDevice, .operationNotSupportedByDevice, .notDirectory:
            "there is no such vhost-vdpa device; \(find)"
        case .permissionDenied, .notPermitted:
            "no permission to read and write it; run as root, or `chown` the file to your user, or have a"
                + " privileged parent open it and pass `fd:N`"
        case .resourceBusy:
            "another process holds the device, which takes one at a time;"
                + " see `fuser -v \(path)` for which, and end it"
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem:
            "no descriptor is left for it; raise the limit (`ulimit -n`)"
        case .readOnlyFileSystem:
            "its file system is mounted read-only; mount a devtmpfs or make the node elsewhere (mknod)"
        case .tooManySymbolicLinkLevels: "its symbolic link leads to itself; name the device"
        case Errno(rawValue: 524):
            "the device's IOMMU does not keep caches coherent, which vhost-vdpa requires"
        default: nil
        }
    }
}
