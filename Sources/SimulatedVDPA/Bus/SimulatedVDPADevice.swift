package import GuestMemory
package import Logging
public import SystemPackage
public import VhostVDPA

/// A device on the simulated vDPA bus, bound to vhost-vdpa when it is made.
///
/// It exists with its parent driver and its worker from creation to the last reference, whether a character
/// device is open on it or not, as a kernel's device does. Control thread only.
public final class SimulatedVDPADevice {
    /// The name on the bus, as `vdpa dev show` would print it.
    public let name: String
    /// What the device was made from.
    public let specification: SimulatedDeviceSpecification
    package let parent: any ParentDriver
    package let kind: any DeviceKind
    /// The driver it is bound to.
    package private(set) var driver: BusDriver? = .vhostVDPA
    /// The driver in the kernel, while the device is bound to it.
    package private(set) var virtio: VirtioVDPADriver?
    private let pinner: any Pinner
    private let logger: Logger
    private let mappings: ProcessMappings.Source
    private weak var opened: VhostVDPACharacterDevice?
    private var isOpened = false
    private var sharedMemory: [AddressRange<HostAddress>] = []

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
        kind = specification.profile.kind(for: specification)
        if !specification.usesVirtualAddresses { try pinner.prepare() }
        parent = try SimulatedParent(
            kind: kind, behaviour: ParentBehaviour(specification), makeDataPath: makeDataPath)
    }

    deinit { parent.shutdown() }

    /// Writes the device's name into a driver's `bind` file: EBUSY while any driver has it, else the driver's own
    /// objection, and the device stays unbound.
    package func bind(_ driver: BusDriver) throws(Errno) {
        guard self.driver == nil else { throw .resourceBusy }
        if driver == .virtioVDPA { virtio = try VirtioVDPADriver(parent) }
        self.driver = driver
    }

    /// Writes the device's name into a driver's `unbind` file: ENODEV unless that driver has it, EBUSY while the
    /// character device is open.
    ///
    /// The kernel waits for the close instead; one thread has nobody to wait for.
    package func unbind(_ driver: BusDriver) throws(Errno) {
        guard self.driver == driver else { throw .noDevice }
        guard !isOpened else { throw .resourceBusy }
        virtio?.remove()
        virtio = nil
        self.driver = nil
    }

    /// `open(2)` of the character device: EBUSY while it is open already, ENOENT while the device is not bound to
    /// vhost-vdpa. Resets the device.
    public func open() throws(Errno) -> any CharacterDevice { try openVhostVDPA() }

    /// ``open()`` with the simulation's own type, whose caller can be changed.
    package func openVhostVDPA() throws(Errno) -> VhostVDPACharacterDevice {
        guard driver == .vhostVDPA else { throw .noSuchFileOrDirectory }
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

    /// Counts `memory` as the simulated machine's own, as a driver's in the kernel is, and returns the address the
    /// device has for it; `nil` unless its IOMMU is in the 1:1 state. It must stay until ``withdrawMemory()``.
    package func shareMemory(_ memory: AddressRange<HostAddress>) -> IOVirtualAddress? {
        guard parent.parentDiagnostics.addressSpaces.first?.isIdentity == true,
            let address = try? parent.mapKernelMemory(memory)
        else { return nil }
        sharedMemory.append(memory)
        return address
    }

    /// Takes back whatever ``shareMemory(_:)`` gave.
    package func withdrawMemory() {
        for memory in sharedMemory { parent.unmapKernelMemory(memory) }
        sharedMemory = []
    }

    /// The device from inside, and vhost-vdpa's view of the same maps.
    package var diagnostics: SimulatedDeviceDiagnostics {
        SimulatedDeviceDiagnostics(
            device: parent.parentDiagnostics,
            vhostEntries: opened?.addressSpaces.mapValues(\.entries) ?? [:], pinnedPages: pinner.pinnedPages,
            isOpen: isOpened, mapFailures: opened?.mapFailures ?? [])
    }
}
