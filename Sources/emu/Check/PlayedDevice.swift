internal import ForeignPrograms
internal import Glibc
internal import SimulatedVDPA
internal import SystemPackage
internal import VhostVDPAConformance

/// What `emu exec` says of the devices that it plays for this process: what sysfs and uname(2) say of a real one.
enum PlayedDevice {
    /// The device that stands for `path`; `nil` where the file is the kernel's.
    static func at(_ path: FilePath) -> SimulatedDeviceSpecification? {
        guard let text = unsafe getenv(ProgramSupervisor.devicesVariable) else { return nil }
        let entries = unsafe String(cString: text).split(separator: ";")
        guard let entry = entries.first(where: { $0.hasPrefix("\(path)=") }) else { return nil }
        return try? SimulatedDeviceSpecification(parsing: String(entry.dropFirst("\(path)=".count)))
    }
}

extension DeviceOpener {
    /// Takes the facts of a simulated device for those of the machine.
    mutating func take(_ played: SimulatedDeviceSpecification) {
        kernel = KernelRelease(parsing: played.kernel.rawValue) ?? kernel
        entryLimit = played.entryLimit
        runByteCount = played.fragment.map(UInt64.init)
        lacksResetMap = !played.hasResetMap
        isServedByProcess = played.parent == .vduse
        lockedMemoryLimit = played.memlock.map { limit in
            switch limit {
            case .unlimited: .max
            case .bytes(let count): UInt64(count)
            }
        }
    }
}
