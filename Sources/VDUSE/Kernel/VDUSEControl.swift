internal import CLinux
package import SystemPackage

/// `/dev/vduse/control`, by which VDUSE devices are made and removed. The control thread's.
package struct VDUSEControl: ~Copyable {
    private let descriptor: FileDescriptor
    /// Where the devices' files are.
    private let folder: FilePath

    /// Opens it and asks for version 0 of the interface, which every kernel since 5.15 has. Since 7.2 a kernel begins with
    /// version 1, in which devices have groups and address spaces.
    ///
    /// - Throws: ``VDUSEError/Code/unavailable`` with what to do.
    package init(folder: FilePath = "/dev/vduse") throws(VDUSEError) {
        descriptor = try Self.open(folder.appending("control"))
        self.folder = folder
    }

    deinit { try? descriptor.close() }

    private static func open(_ path: FilePath) throws(VDUSEError) -> FileDescriptor {
        let descriptor: FileDescriptor
        do {
            descriptor = try FileDescriptor.open(path, .readWrite, options: [.closeOnExec])
        } catch {
            throw unavailable("open(\(path))", error)
        }
        var version: UInt64 = 0
        let result = unsafe withUnsafeMutablePointer(to: &version) { pointer in
            clinux_ioctl(descriptor.rawValue, clinux_vduse_set_api_version, UInt(bitPattern: pointer))
        }
        guard result < 0 else { return descriptor }
        try? descriptor.close()
        throw VDUSEError(
            .unavailable, call: "VDUSE_SET_API_VERSION(0) on \(path)", errno: Errno(rawValue: -result),
            context: "this is not VDUSE's control file")
    }

    private static func unavailable(_ call: String, _ error: any Error) -> VDUSEError {
        let errno = error as? Errno
        let advice =
            switch errno {
            case .noSuchFileOrDirectory?, .noSuchAddressOrDevice?, .operationNotSupportedByDevice?:
                "this kernel has no VDUSE loaded; `modprobe vduse`: Linux 6.12 or later, built with CONFIG_VDPA_USER"
            case .permissionDenied?, .notPermitted?:
                "no permission to make VDUSE devices; run as root (CAP_NET_ADMIN, CAP_SYS_ADMIN)"
            default: nil as String?
            }
        return VDUSEError(.unavailable, call: call, errno: errno, context: advice)
    }

    /// Opens the device `name`: a new one as `description` says, or the one that is there and is in use, which another
    /// process has served before. One that is there and in use by nobody is made anew.
    ///
    /// - Throws: ``VDUSEError/Code/create``, ``VDUSEError/Code/inUse``, or what the calls on the file do.
    package func open(_ name: VDUSEName, _ description: VDUSEDescription) throws(VDUSEError)
        -> VDUSEDeviceFile
    {
        let isThere: Bool
        do throws(VDUSEError) {
            try remove(name)
            isThere = false
        } catch {
            isThere = error.code == .inUse
        }
        if isThere {
            let file = try VDUSEDeviceFile(name, in: folder, isNew: false)
            try file.requireQueues(description.queueCount)
            return file
        }
        try create(name, description)
        do throws(VDUSEError) {
            let file = try VDUSEDeviceFile(name, in: folder, isNew: true)
            for queue in 0..<description.queueCount {
                try file.setUp(queue: queue, maximumSize: description.maximumQueueSize)
            }
            return file
        } catch {
            // What nobody serves is of no use to anybody.
            try? remove(name)
            throw error
        }
    }

    private func create(_ name: VDUSEName, _ description: VDUSEDescription) throws(VDUSEError) {
        var structure = description.structure(name)
        let result = structure.withAddress { clinux_ioctl(descriptor.rawValue, clinux_vduse_create_dev, $0) }
        guard result < 0 else { return }
        let errno = Errno(rawValue: -result)
        let advice: String? =
            switch errno {
            case .notPermitted: "a network device takes CAP_NET_ADMIN; run as root"
            case .fileExists: "there is one of that name already; take another --name"
            case .invalidArgument:
                "this kernel makes no network devices with VDUSE; that takes Linux 6.12 or later"
            default: nil
            }
        throw VDUSEError(.create, call: "VDUSE_CREATE_DEV(\(name))", errno: errno, context: advice)
    }

    /// Removes the device `name`, which nobody may have open.
    ///
    /// - Throws: ``VDUSEError/Code/inUse`` where it is attached to the vDPA bus or another process has it open,
    ///   ``VDUSEError/Code/call`` where there is none.
    package func remove(_ name: VDUSEName) throws(VDUSEError) {
        var structure = KernelStructure(byteCount: VDUSEName.byteLimit + 1)
        structure.set(0, bytes: name.description.utf8)
        let result = structure.withAddress { clinux_ioctl(descriptor.rawValue, clinux_vduse_destroy_dev, $0) }
        guard result < 0 else { return }
        let errno = Errno(rawValue: -result)
        throw VDUSEError(
            errno == .resourceBusy ? .inUse : .call, call: "VDUSE_DESTROY_DEV(\(name))", errno: errno)
    }
}
