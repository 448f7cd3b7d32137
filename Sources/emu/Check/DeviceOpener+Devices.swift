internal import CLinux
internal import GuestMemory
internal import SimulatedVDPA
internal import SystemPackage
internal import VhostVDPA
internal import VhostVDPAConformance
internal import VirtioNet

extension DeviceOpener {
    /// A simulated device, which lives as long as the opener does; its `worker` says when it rests.
    static func simulation(_ device: SimulatedVDPADevice, worker: NetworkDevice?) -> DeviceOpener {
        var opener = DeviceOpener(
            kernel: KernelRelease(parsing: device.specification.kernel.rawValue) ?? KernelRelease(6, 12),
            entryLimit: device.specification.entryLimit,
            pinnedBytes: { UInt64(device.diagnostics.pinnedPages * PageSize.current) },
            open: { () throws(Errno) in try device.open() })
        opener.settle = worker.map { worker in { worker.settle() } }
        opener.identity = IdentityAccess(
            share: { address, byteCount in
                AddressRange(
                    first: HostAddress(rawValue: UInt64(address)), byteCount: ByteCount(byteCount)
                ).flatMap(device.shareMemory)?.rawValue
            }, withdraw: device.withdrawMemory)
        opener.ioctlFromChild = { file, request, argument in
            guard let file = file as? VhostVDPACharacterDevice else { return nil }
            file.caller = .forkedChild()
            defer { file.caller = .process }
            do throws(Errno) {
                _ = try file.ioctl(request, argument)
                return nil
            } catch {
                return error
            }
        }
        return opener
    }

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
