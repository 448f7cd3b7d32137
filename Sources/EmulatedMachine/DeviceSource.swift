package import SimulatedVDPA
package import SystemPackage

/// Where a machine's vDPA device comes from. The only thing that differs between a simulated and a real one.
package enum DeviceSource: Sendable {
    /// A simulated device of its own.
    case simulated(SimulatedDeviceSpecification)
    /// A character device of the kernel's, by path.
    case file(FilePath)
    /// A character device that the parent process has opened.
    case descriptor(FileDescriptor)
}
