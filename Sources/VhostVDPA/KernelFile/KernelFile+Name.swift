internal import Glibc
internal import SystemPackage

extension KernelFile {
    /// The name of the vDPA device behind the file, as `vdpa0`, or `nil` where sysfs does not say.
    public var deviceName: String? {
        var status = stat()
        guard unsafe fstat(rawDescriptor, &status) == 0 else { return nil }
        let number = status.st_rdev
        // How <sys/sysmacros.h> packs the two numbers, below 4096 and 2²⁰ as Linux has them.
        let (major, minor) = (number >> 8 & 0xfff, number & 0xff | number >> 12 & 0xfff00)
        guard let folder = unsafe realpath("/sys/dev/char/\(major):\(minor)", nil) else { return nil }
        defer { unsafe free(folder) }
        // …/vdpa0/vhost-vdpa-0: the character device stands below the vDPA device.
        return unsafe FilePath(platformString: folder).removingLastComponent().lastComponent?.string
    }
}
