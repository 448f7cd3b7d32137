import Logging
import SimulatedVDPA
import Synchronization
import SystemPackage
import Testing
import VhostVDPA
import VhostVDPAConformance
import VirtioNet

/// Openers on simulated devices, for the suite that is under test here.
enum SimulatedOpener {
    private static let known = Mutex<[String: DeviceTraits]>([:])

    /// What probing says of an unbroken device; found out once for each.
    static func traits(_ specification: String) throws -> DeviceTraits {
        if let traits = known.withLock({ $0[specification] }) { return traits }
        let traits = try DeviceTraits.probe(make(specification))
        known.withLock { $0[specification] = traits }
        return traits
    }

    /// Makes the device that `specification` describes; it lives as long as the opener.
    ///
    /// `alteration` stands between the suite and the device: it may change any answer, and so break a rule.
    static func make(_ specification: String, alteration: Break? = nil) throws -> DeviceOpener {
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        var worker: NetworkDevice?
        let device = try SimulatedVDPADevice(
            specification: SimulatedDeviceSpecification(parsing: specification), pinner: AccountingPinner(),
            logger: quiet,
            makeDataPath: DataPathFactory { _, events in
                let network = try NetworkDevice(name: "check", port: .loopback, report: events)
                worker = network
                return network
            })
        let network = try #require(worker)
        let scene = Scene()
        var opener = DeviceOpener(
            kernel: KernelRelease(parsing: device.specification.kernel.rawValue) ?? KernelRelease(6, 12),
            entryLimit: device.specification.entryLimit,
            pinnedBytes: { UInt64(device.diagnostics.pinnedPages * 4096) },
            open: { () throws(Errno) in
                do throws(Errno) {
                    let file = try device.open()
                    return alteration.map { AlteredDevice(file, $0, scene) } ?? file
                } catch {
                    guard let alteration, alteration.opensTwice, error == .resourceBusy else { throw error }
                    return DeadFile()
                }
            })
        if let descriptor = alteration?.descriptor { opener.descriptor = { _ in try? descriptor() } }
        opener.settle = { network.settle() }
        opener.ioctlFromChild = { file, request, argument in
            let broken = file as? AlteredDevice
            guard let inner = (broken?.device ?? file) as? VhostVDPACharacterDevice else { return nil }
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
