internal import CLinux
internal import SystemPackage
internal import VhostVDPA
internal import VhostVDPAConformance

extension DeviceOpener {
    /// The kernel's device at `path`.
    static func kernel(_ path: FilePath, release: KernelRelease) -> DeviceOpener {
        var opener = DeviceOpener(
            kernel: release, entryLimit: KernelText.entryLimit,
            open: { () throws(Errno) in
                do throws(VhostVDPAError) {
                    return try KernelFile(path: path)
                } catch {
                    throw error.errno
                }
            })
        opener.descriptor = { ($0 as? KernelFile)?.descriptor }
        opener.ioctlFromChild = { file, request, argument in
            guard let descriptor = (file as? KernelFile)?.descriptor else { return nil }
            let error = clinux_ioctl_in_child(descriptor.rawValue, request, argument)
            return error == 0 ? nil : Errno(rawValue: error)
        }
        return opener
    }
}
