package import Logging
package import VhostVDPA

/// A look at a device without a machine around it.
package enum DeviceInspection {
    /// Opens the device of `source`, which resets it, hands it to `body` and closes it again.
    ///
    /// Control thread.
    package static func withDevice<Result>(
        of source: DeviceSource, logger: Logger,
        _ body: (VhostVDPADevice) throws(VhostVDPAError) -> Result
    ) throws(MachineError) -> Result {
        let opened = try OpenedDevice(MachineConfiguration(device: source), logger: logger)
        let device = VhostVDPADevice(opened.file, logger: logger)
        defer {
            device.close()
            opened.simulation?.shutdown()
        }
        do throws(VhostVDPAError) {
            return try body(device)
        } catch {
            throw .device(error)
        }
    }
}
