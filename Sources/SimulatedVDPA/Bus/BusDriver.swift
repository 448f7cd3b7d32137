/// The driver of the vDPA bus that a device is bound to.
package enum BusDriver: Hashable, Sendable {
    /// vhost-vdpa: the device is a character device.
    case vhostVDPA
}
