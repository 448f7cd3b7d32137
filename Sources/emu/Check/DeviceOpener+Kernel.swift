internal import CLinux
internal import LinuxHost
internal import SystemPackage
internal import VhostVDPA
internal import VhostVDPAConformance

extension DeviceOpener {
    /// The kernel's device at `path`. `presence` is told of every open.
    static func kernel(
        _ path: FilePath, release: KernelRelease, presence: DevicePresence
    ) -> DeviceOpener {
        var opener = DeviceOpener(
            kernel: release, entryLimit: KernelParameters.maximumIOTLBEntries,
            open: { () throws(Errno) in
                do throws(VhostVDPAError) {
                    let file = try KernelFile(path: path)
                    presence.opened(file)
                    return file
                } catch {
                    presence.failed(error.errno)
                    throw error.errno
                }
            })
        if let played = PlayedDevice.at(path) { opener.take(played) }
        opener.descriptor = { ($0 as? KernelFile)?.descriptor }
        opener.isServedByProcess = opener.isServedByProcess || KernelFile.isServedByProcess(path)
        opener.ioctlFromChild = { file, request, argument in
            guard let descriptor = (file as? KernelFile)?.descriptor else { return nil }
            let error = clinux_ioctl_in_child(descriptor.rawValue, request, argument)
            return error == 0 ? nil : Errno(rawValue: error)
        }
        return opener
    }
}
