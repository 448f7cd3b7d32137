package import SystemPackage

/// The kernel's error numbers that swift-system has no name for.
extension Errno {
    /// An ioctl the device does not know (`ENOTTY`; inside the kernel `ENOIOCTLCMD`).
    package static let unknownRequest = Errno(rawValue: 25)
    /// The kernel-internal `ENOTSUPP`, which vhost-vdpa's mmap and open let out to userspace (524).
    package static let kernelNotSupported = Errno(rawValue: 524)
    /// The parent lacks the operation (`EOPNOTSUPP`).
    package static let operationNotSupported = Errno(rawValue: 95)
    /// There is no such device, or no such driver is bound to it (`ENODEV`).
    package static let noDevice = Errno(rawValue: 19)
}
