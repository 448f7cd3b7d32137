import SimulatedConformance
import SimulatedVDPA
import SystemPackage
import TestSupport
import VhostVDPA
import VhostVDPAConformance
import VirtioNet
import WorkerRuntime

/// Openers on simulated devices, for the suite that is under test here.
enum SimulatedOpener {
    private static let known = Guarded<[String: DeviceTraits]>([:])

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
    static func make(
        _ specification: String, movesFrames: Bool = true, alteration: Break? = nil
    ) throws -> DeviceOpener {
        var opener = try DeviceOpener.simulation(
            SimulatedDeviceSpecification(parsing: specification), movesFrames: movesFrames, logger: .quiet)
        guard let alteration else { return opener }
        let scene = Scene()
        let open = opener.open
        opener.open = { () throws(Errno) in
            do throws(Errno) {
                return AlteredDevice(try open(), alteration, scene)
            } catch {
                guard alteration.opensTwice, error == .resourceBusy else { throw error }
                return DeadFile()
            }
        }
        if let descriptor = alteration.descriptor { opener.descriptor = { _ in try? descriptor() } }
        return opener
    }
}
