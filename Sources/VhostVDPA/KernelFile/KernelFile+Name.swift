internal import SystemPackage

extension KernelFile {
    /// The name of the vDPA device behind the file, as `vdpa0`, or `nil` where sysfs does not say.
    public var deviceName: String? {
        // …/vdpa0/vhost-vdpa-0: the character device stands below the vDPA device.
        node.path?.removingLastComponent().lastComponent?.string
    }

    /// Whether the device was removed (`vdpa dev del`) while the file is open. The kernel tells nobody, and whoever
    /// removes it waits until this file is closed: look now and then, and close.
    ///
    /// `false` also where sysfs does not say. One or two system calls.
    public var isGone: Bool { node.isGone }
}
