internal import Logging
package import SystemPackage

/// The simulated vDPA bus: devices by name, as `vdpa dev add` and `vdpa dev del` keep them.
///
/// Control thread only.
package final class SimulatedVDPABus {
    package private(set) var devices: [String: SimulatedVDPADevice] = [:]
    private let pinner: any Pinner

    /// Makes an empty bus; its devices share `pinner`, the account of one process.
    package init(pinner: any Pinner = RegisteredBufferPinner.process) { self.pinner = pinner }

    /// Adds a device and binds it to vhost-vdpa: EEXIST where the name is taken, else what `makeDataPath` throws.
    @discardableResult
    package func add(
        _ specification: SimulatedDeviceSpecification, name: String, makeDataPath: DataPathFactory
    ) throws -> SimulatedVDPADevice {
        guard devices[name] == nil else { throw Errno.fileExists }
        let device = try SimulatedVDPADevice(
            name: name, specification: specification, pinner: pinner, makeDataPath: makeDataPath)
        devices[name] = device
        return device
    }

    /// Removes a device: ENODEV where there is none, EBUSY while it is open.
    ///
    /// The kernel waits for the close instead; one thread has nobody to wait for.
    package func remove(name: String) throws(Errno) {
        guard let device = devices[name] else { throw .noDevice }
        guard !device.diagnostics.isOpen else { throw .resourceBusy }
        devices[name] = nil
        if let driver = device.driver { try device.unbind(driver) }
        device.shutdown()
    }
}
