/// A driver of the vDPA bus. A device is bound to one of them, or to none.
package enum BusDriver: Hashable, Sendable {
    /// vhost-vdpa: the device is a character device.
    case vhostVDPA
    /// virtio-vdpa: the device is a virtio device of the kernel's own, here a ``VirtioVDPADriver``.
    case virtioVDPA
}
