public import GuestMemory
internal import IOUring
internal import LinuxHost
public import Logging
public import SystemPackage
public import VhostVDPA
internal import VirtioDevice
package import VirtioNet

/// A vDPA device without hardware, on a simulated bus, bound to vhost-vdpa when it is made.
///
/// It exists with its parent driver and its worker from creation to the last reference, whether a character
/// device is open on it or not, as a kernel's device does; an open file holds a reference. Control thread only.
public final class SimulatedVDPADevice {
    /// The name on the bus, as `vdpa dev show` would print it.
    public let name: String
    /// What the device was made from; `nil` for a parent driver of one's own.
    public let specification: SimulatedDeviceSpecification?
    /// The kernel whose rules vhost-vdpa follows.
    public let kernel: KernelVersion
    private let parent: any ParentDriver
    /// The parent, where it is the simulation's own.
    package let simulated: SimulatedParent?
    /// The driver it is bound to.
    package private(set) var driver: BusDriver? = .vhostVDPA
    /// The driver in the kernel, while the device is bound to it.
    package private(set) var virtio: VirtioVDPADriver?
    private let mapping: MappingPolicy
    private let pinner: any Pinner
    private let logger: Logger
    private let mappings: ProcessMappings.Source
    private weak var opened: VhostVDPACharacterDevice?
    private var isOpened = false
    private var sharedMemory: [AddressRange<HostAddress>] = []

    // MARK: Making one

    /// Makes a device that is as `specification` says, with a worker for each of its queue pairs.
    ///
    /// - Parameters:
    ///   - specification: Which kernel, which parent driver, which network card.
    ///   - name: The name on the bus.
    ///   - wire: What is at the far end of the card's wire. `profile=vdpasim-net` has none, and loops frames back.
    ///   - logger: Hears of calls and maps that are refused.
    /// - Throws: ``SimulatedVDPAError`` where this machine has no thread, descriptor or io_uring for it.
    public convenience init(
        _ specification: SimulatedDeviceSpecification = .standard, name: String = "vdpa0",
        wire: SimulatedWire = .loopback, logger: Logger = Logger(label: "sim.vhost-vdpa")
    ) throws(SimulatedVDPAError) {
        do {
            try self.init(specification, name: name, wire: wire.makePort(), logger: logger)
        } catch let error as IOUringError {
            throw SimulatedVDPAError(.cannotPin, error)
        } catch {
            throw SimulatedVDPAError(.noWorker, error)
        }
    }

    /// Makes a device that is driven by a parent driver of one's own, under `kernel`'s vhost-vdpa.
    ///
    /// - Parameters:
    ///   - parent: The parent driver. The device keeps it.
    ///   - name: The name on the bus.
    ///   - kernel: Whose rules vhost-vdpa follows.
    ///   - logger: Hears of calls and maps that are refused.
    /// - Throws: ``SimulatedVDPAError/Code/cannotPin``, unless the parent's maps are virtual addresses.
    public convenience init(
        parent: any ParentDriver, name: String = "vdpa0", kernel: KernelVersion = .v6_12,
        logger: Logger = Logger(label: "sim.vhost-vdpa")
    ) throws(SimulatedVDPAError) {
        let pinner = RegisteredBufferPinner.process
        do {
            if !parent.description.usesVirtualAddresses { try pinner.prepare() }
        } catch {
            throw SimulatedVDPAError(.cannotPin, error)
        }
        let limit = kernel.enforcesEntryLimit ? SimulatedDeviceSpecification.defaultEntryLimit : nil
        self.init(
            name: name, kernel: kernel, specification: nil, parent: parent,
            mapping: MappingPolicy(entryLimit: limit), pinner: pinner, logger: logger,
            mappings: ProcessMappings.current)
    }

    /// Makes the device and a worker whose wire is any port.
    package convenience init(
        _ specification: SimulatedDeviceSpecification, name: String = "vdpa0", wire: consuming WirePort,
        pinner: any Pinner = RegisteredBufferPinner.process, logger: Logger
    ) throws {
        if !specification.usesVirtualAddresses { try pinner.prepare() }
        let parent = try SimulatedParent(
            kind: specification.profile.kind(for: specification), behaviour: ParentBehaviour(specification),
            worker: "vdpa-worker", wire: wire)
        self.init(
            specification, name: name, parent: parent, pinner: pinner, logger: logger,
            mappings: ProcessMappings.current)
    }

    /// Makes the device and, by `makeDataPath`, the worker that moves its packets.
    ///
    /// `pinner` keeps the account of pinned pages; devices of one process share one, as the kernel's do.
    package convenience init(
        name: String = "vdpa0", specification: SimulatedDeviceSpecification,
        pinner: any Pinner = RegisteredBufferPinner.process, logger: Logger = Logger(label: "sim.vhost-vdpa"),
        mappings: @escaping ProcessMappings.Source = ProcessMappings.current, makeDataPath: DataPathFactory
    ) throws {
        if !specification.usesVirtualAddresses { try pinner.prepare() }
        let parent = try SimulatedParent(
            kind: specification.profile.kind(for: specification), behaviour: ParentBehaviour(specification),
            makeDataPath: makeDataPath)
        self.init(
            specification, name: name, parent: parent, pinner: pinner, logger: logger, mappings: mappings)
    }

    private convenience init(
        _ specification: SimulatedDeviceSpecification, name: String, parent: SimulatedParent,
        pinner: any Pinner, logger: Logger, mappings: @escaping ProcessMappings.Source
    ) {
        self.init(
            name: name, kernel: specification.kernel, specification: specification, parent: parent,
            mapping: MappingPolicy(
                entryLimit: specification.entryLimit, fragment: specification.fragment,
                pinLimit: specification.memlock?.pages),
            pinner: pinner, logger: logger, mappings: mappings)
    }

    private init(
        name: String, kernel: KernelVersion, specification: SimulatedDeviceSpecification?,
        parent: any ParentDriver, mapping: MappingPolicy, pinner: any Pinner, logger: Logger,
        mappings: @escaping ProcessMappings.Source
    ) {
        self.name = name
        self.kernel = kernel
        self.specification = specification
        self.parent = parent
        simulated = parent as? SimulatedParent
        self.mapping = mapping
        self.pinner = pinner
        self.logger = logger
        self.mappings = mappings
    }

    deinit { shutdown() }

    /// Ends the worker. Every later call of the device does nothing.
    package func shutdown() { simulated?.shutdown() }

    // MARK: The bus

    /// Writes the device's name into a driver's `bind` file: EBUSY while any driver has it, else the driver's own
    /// objection, and the device stays unbound. ENODEV for virtio-vdpa over a parent that is not the simulation's own.
    package func bind(_ driver: BusDriver) throws(Errno) {
        guard self.driver == nil else { throw .resourceBusy }
        if driver == .virtioVDPA {
            guard let simulated else { throw .noDevice }
            virtio = try VirtioVDPADriver(simulated)
        }
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

    // MARK: The character device

    /// `open(2)` of the character device: EBUSY while it is open already, ENOENT while the device is not bound to
    /// vhost-vdpa. Resets the device. The file keeps the device alive.
    public func open() throws(Errno) -> any CharacterDevice { try openVhostVDPA() }

    /// ``open()`` with the simulation's own type, whose caller can be changed.
    package func openVhostVDPA() throws(Errno) -> VhostVDPACharacterDevice {
        guard driver == .vhostVDPA else { throw .noSuchFileOrDirectory }
        guard !isOpened else { throw .resourceBusy }
        isOpened = true
        do throws(Errno) {
            let file = try VhostVDPACharacterDevice(
                parent: parent, kernel: kernel, mapping: mapping, pinner: pinner, logger: logger,
                mappings: mappings, onRelease: { self.isOpened = false })
            opened = file
            return file
        } catch {
            isOpened = false
            throw error
        }
    }

    // MARK: The device from inside

    /// Returns when the device's workers have done everything they can do without a further kick or frame, and sleep. At
    /// once for a parent driver of one's own.
    public func settle() {
        simulated?.lookAtDoorbells()
        network?.settle()
    }

    /// How many accesses of the device found no map, or not the permission, since it was made.
    public var faultCount: Int { simulated?.parentDiagnostics.faultCount ?? 0 }

    /// The latest of those accesses, oldest first; as many as are remembered.
    public var recentFaults: [TranslationFault] {
        simulated?.parentDiagnostics.recentFaults.map(\.fault) ?? []
    }

    /// The memory of this process that is pinned for its simulated devices, all together.
    public var pinnedByteCount: ByteCount {
        ByteCount(rawValue: UInt64(pinner.pinnedPages) * UInt64(HostPage.byteCount))
    }

    /// The worker, where it is one that moves frames.
    package var network: (any NetworkDataPath)? { simulated?.dataPath as? any NetworkDataPath }

    /// Counts `memory` as the simulated machine's own, as a driver's in the kernel is, and returns the address the
    /// device has for it; `nil` unless its IOMMU is in the 1:1 state. It must stay until ``withdrawMemory()``.
    package func shareMemory(_ memory: AddressRange<HostAddress>) -> IOVirtualAddress? {
        guard let simulated, simulated.parentDiagnostics.addressSpaces.first?.isIdentity == true,
            let address = try? simulated.mapKernelMemory(memory)
        else { return nil }
        sharedMemory.append(memory)
        return address
    }

    /// Takes back whatever ``shareMemory(_:)`` gave.
    package func withdrawMemory() {
        for memory in sharedMemory { simulated?.unmapKernelMemory(memory) }
        sharedMemory = []
    }

    /// The device from inside, and vhost-vdpa's view of the same maps. Of a parent driver of one's own it knows nothing.
    package var diagnostics: SimulatedDeviceDiagnostics {
        SimulatedDeviceDiagnostics(
            device: simulated?.parentDiagnostics ?? .unknown,
            vhostEntries: opened?.entries ?? [:], pinnedPages: pinner.pinnedPages,
            isOpen: isOpened, mapFailures: opened?.mapFailures ?? [])
    }
}
