package import LinuxHost
package import SystemPackage

/// The two eventfds of one queue: the driver's kick and the device's call. The driver makes them, the backend
/// hands them to the device.
package final class QueueSignals: Sendable {
    package let kick: EventFD
    package let call: EventFD

    package init() throws(Errno) {
        kick = try EventFD()
        call = try EventFD()
    }
}
