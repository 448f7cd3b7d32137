internal import GuestMemory
internal import LinuxHost
package import Logging
package import SimulatedVDPA
internal import SystemPackage
package import VhostVDPA
package import VhostVDPAConformance
internal import VirtioDevice
internal import VirtioNet

extension DeviceOpener {
    /// A simulated device, which lives as long as the opener does.
    ///
    /// Where it `movesFrames` it has a worker and a loopback wire, otherwise its maps alone can be asked about.
    /// `mappings` says what memory the process has.
    package static func simulation(
        _ specification: SimulatedDeviceSpecification, movesFrames: Bool = true,
        pinner: any Pinner = AccountingPinner(),
        mappings: @escaping ProcessMappings.Source = ProcessMappings.current, logger: Logger
    ) throws -> DeviceOpener {
        let device = try SimulatedVDPADevice(
            specification: specification, pinner: pinner, logger: logger,
            mappings: mappings,
            makeDataPath: DataPathFactory { kind, events in
                guard movesFrames else { return StillDataPath() }
                return try kind.makeDataPath(name: "vdpa-worker", wire: .loopback, report: events)
            })
        let worker = device.network
        var opener = DeviceOpener(
            kernel: KernelRelease(parsing: specification.kernel.rawValue) ?? KernelRelease(6, 12),
            entryLimit: specification.entryLimit,
            pinnedBytes: { UInt64(device.diagnostics.pinnedPages * HostPage.byteCount) },
            open: { () throws(Errno) in try device.open() })
        opener.lacksResetMap = !specification.hasResetMap
        opener.runByteCount = specification.fragment.map(UInt64.init)
        opener.lockedMemoryLimit = specification.memlock.map { limit in
            switch limit {
            case .unlimited: .max
            case .bytes(let count): UInt64(count)
            }
        }
        opener.failure = { worker?.failure.map { "\($0)" } ?? SimulationFailure.description }
        opener.settle = worker.map { _ in { device.settle() } }
        opener.identity = IdentityAccess(
            share: { address, byteCount in
                AddressRange(
                    first: HostAddress(rawValue: UInt64(address)), byteCount: ByteCount(byteCount)
                ).flatMap(device.shareMemory)?.rawValue
            }, withdraw: device.withdrawMemory)
        opener.interior = { DeviceInterior(device.diagnostics) }
        opener.isServedByProcess = specification.parent == .vduse
        opener.ioctlFromChild = { file, request, argument in
            let inner = (file as? any WrappedFile)?.wrapped ?? file
            guard let inner = inner as? VhostVDPACharacterDevice else { return nil }
            inner.caller = .forkedChild()
            defer { inner.caller = .process }
            do throws(Errno) {
                _ = try file.ioctl(request, argument)
                return nil
            } catch {
                return error
            }
        }
        return opener
    }
}

/// A file that stands before another one, as a test's that changes answers does.
package protocol WrappedFile: CharacterDevice {
    var wrapped: any CharacterDevice { get }
}
