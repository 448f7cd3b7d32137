package import Logging
public import SystemPackage
public import VhostVDPA

/// A device on the simulated vDPA bus, bound to vhost-vdpa.
///
/// It exists with its parent driver and its worker from creation to the last reference, whether a character
/// device is open on it or not, as a kernel's device does. Control thread only.
public final class SimulatedVDPADevice {
    /// The name on the bus, as `vdpa dev show` would print it.
    public let name: String
    /// What the device was made from.
    public let specification: SimulatedDeviceSpecification
    package let parent: any ParentDriver
    package let profile: NetworkDeviceProfile
    package private(set) var driver = BusDriver.vhostVDPA
    private let pinner: any Pinner
    private let logger: Logger
    private let mappings: ProcessMappings.Source
    private weak var opened: VhostVDPACharacterDevice?
    private var isOpened = false

    /// Makes the device and, by `makeDataPath`, the worker that moves its packets.
    ///
    /// `pinner` keeps the account of pinned pages; devices of one process share one, as the kernel's do.
    package init(
        name: String = "vdpa0", specification: SimulatedDeviceSpecification,
        pinner: any Pinner = RegisteredBufferPinner.process, logger: Logger = Logger(label: "sim.vhost-vdpa"),
        mappings: @escaping ProcessMappings.Source = ProcessMappings.current, makeDataPath: DataPathFactory
    ) throws {
        self.name = name
        self.specification = specification
        self.pinner = pinner
        self.logger = logger
        self.mappings = mappings
        profile = .standard(queuePairs: specification.queuePairs)
        if !specification.usesVirtualAddresses { try pinner.prepare() }
        parent = try NetworkParent(
            profile: profile, behaviour: ParentBehaviour(specification), makeDataPath: makeDataPath)
    }

    deinit { parent.shutdown() }

    /// `open(2)` of the character device: EBUSY while it is open already. Resets the device.
    public func open() throws(Errno) -> any CharacterDevice { try openVhostVDPA() }

    /// ``open()`` with the simulation's own type, whose caller can be changed.
    package func openVhostVDPA() throws(Errno) -> VhostVDPACharacterDevice {
        guard !isOpened else { throw .resourceBusy }
        isOpened = true
        do throws(Errno) {
            let file = try VhostVDPACharacterDevice(
                parent: parent, kernel: specification.kernel,
                mapping: MappingPolicy(
                    entryLimit: specification.entryLimit, fragment: specification.fragment,
                    pinLimit: specification.memlock?.pages),
                pinner: pinner, logger: logger, mappings: mappings, onRelease: { self.isOpened = false })
            opened = file
            return file
        } catch {
            isOpened = false
            throw error
        }
    }

    /// The device from inside, and vhost-vdpa's view of the same maps.
    package var diagnostics: SimulatedDeviceDiagnostics {
        SimulatedDeviceDiagnostics(
            device: parent.parentDiagnostics,
            vhostEntries: opened?.addressSpaces.mapValues(\.entries) ?? [:], pinnedPages: pinner.pinnedPages,
            isOpen: isOpened, mapFailures: opened?.mapFailures ?? [])
    }
}
