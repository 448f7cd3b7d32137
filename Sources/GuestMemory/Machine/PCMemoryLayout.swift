public import Logging

/// The physical memory of a PC, as QEMU's q35 has it once its firmware has run.
///
/// RAM is one block, seen through windows below and above 4 GiB:
/// ```
/// 0x0          – 0xb_ffff      RAM
/// 0xc_0000     – 0xd_ffff      RAM, write-protected (option ROMs in shadow RAM)
/// 0xe_0000     – 0xe_ffff      RAM
/// 0xf_0000     – 0xf_ffff      RAM, write-protected (the BIOS in shadow RAM)
/// 0x10_0000    – low limit     RAM
/// 0xb000_0000  – 0xbfff_ffff   device: PCI Express configuration
/// 0xfec0_0000  – 0xfec0_0fff   device: I/O APIC
/// 0xfee0_0000  – 0xfeef_ffff   device: local APICs
/// 0xffff_0000  – 0xffff_ffff   ROM (the BIOS)
/// 0x1_0000_0000 –              the rest of the RAM
/// ```
/// Six memory sections, seven with RAM above 4 GiB. There is no VGA window: QEMU has none without a display,
/// and its section counts are what ours are compared with. Control thread only.
public final class PCMemoryLayout {
    /// How much RAM stands below 4 GiB at most.
    public static let lowMemoryLimit = ByteCount.gibibytes(2)
    /// The least RAM a machine can have.
    public static let minimumMemory = ByteCount.mebibytes(2)
    /// Where the RAM that does not fit below goes on.
    public static let highMemoryStart = GuestPhysicalAddress(rawValue: 1 << 32)
    /// The highest physical address an x86 processor can have: 52 bits.
    public static let lastAddress = GuestPhysicalAddress(rawValue: (1 << 52) - 1)
    /// What a plugged module's address must be a multiple of when the layout chooses it.
    public static let moduleAlignment = ByteCount.mebibytes(2)

    /// The machine's address space, on which listeners are registered.
    public let addressSpace = AddressSpace(name: "system")
    /// The machine's own RAM, `pc.ram`.
    public let ram: RAMBlock
    /// The BIOS ROM, `pc.bios`.
    public let bios: RAMBlock
    /// The modules plugged in, in the order of addresses.
    public private(set) var modules: [MemoryModule] = []

    /// Makes the machine's RAM and its address space.
    ///
    /// - Parameters:
    ///   - memory: The RAM's size, at least ``minimumMemory`` and a multiple of the host's page size.
    ///   - pages: The pages it is to have; ``ram`` says which it got.
    ///   - hasFirmware: Whether it is a PC. Otherwise RAM is one section from address zero on, with nothing else.
    ///   - logger: Where a fallback to smaller pages is reported.
    /// - Throws: ``GuestMemoryError/Code/invalidSize`` or ``GuestMemoryError/Code/allocationFailed``.
    public init(
        memory: ByteCount, pages: PageKind = .base, hasFirmware: Bool = true,
        logger: Logger = Logger(label: "emu.memory")
    ) throws(GuestMemoryError) {
        let most =
            Self.lastAddress.rawValue - Self.highMemoryStart.rawValue + 1 + Self.lowMemoryLimit.rawValue
        guard memory >= Self.minimumMemory, memory.rawValue <= most else {
            throw GuestMemoryError(
                code: .invalidSize,
                context: "a machine cannot have \(memory) of memory: choose at least \(Self.minimumMemory) "
                    + "and at most \(ByteCount(rawValue: most))"
            )
        }
        ram = try RAMBlock.allocate(name: "pc.ram", byteCount: memory, pages: pages, logger: logger)
        bios = try RAMBlock.allocate(name: "pc.bios", byteCount: .kibibytes(64), logger: logger)
        try addressSpace.transaction { () throws(GuestMemoryError) in
            if hasFirmware {
                try build()
            } else {
                try addressSpace.add(.ram(ram), at: GuestPhysicalAddress(rawValue: 0))
            }
        }
    }

    private func build() throws(GuestMemoryError) {
        let ramRegion = MemoryRegion.ram(ram)
        let low = min(ram.byteCount, Self.lowMemoryLimit)
        try addressSpace.add(
            .alias("ram-below-4g", of: ramRegion, byteCount: low), at: GuestPhysicalAddress(rawValue: 0)
        )
        for (name, start, size) in [("shadow-option-roms", 0xc_0000, 128), ("shadow-bios", 0xf_0000, 64)] {
            try addressSpace.add(
                .alias(
                    name, of: ramRegion, offset: ByteCount(start), byteCount: .kibibytes(size),
                    isReadOnly: true
                ), at: GuestPhysicalAddress(rawValue: UInt64(start)), priority: 1
            )
        }
        let devices: [(name: String, start: UInt64, size: ByteCount)] = [
            ("pcie-mmcfg", 0xb000_0000, .mebibytes(256)), ("ioapic", 0xfec0_0000, .kibibytes(4)),
            ("lapic", 0xfee0_0000, .mebibytes(1)),
        ]
        for device in devices {
            try addressSpace.add(
                .device(device.name, byteCount: device.size), at: GuestPhysicalAddress(rawValue: device.start)
            )
        }
        try addressSpace.add(.rom(bios), at: GuestPhysicalAddress(rawValue: 0xffff_0000))
        if ram.byteCount > low {
            let high = ByteCount(rawValue: ram.byteCount.rawValue - low.rawValue)
            try addressSpace.add(
                .alias("ram-above-4g", of: ramRegion, offset: low, byteCount: high), at: Self.highMemoryStart
            )
        }
    }

    /// The host memory behind `range`, or `nil` unless all of it is memory that permits `access` and is
    /// contiguous in the host. O(log n) in the sections.
    public func hostRange(
        of range: AddressRange<GuestPhysicalAddress>, access: MemoryAccess
    ) -> AddressRange<HostAddress>? {
        addressSpace.view.hostRange(of: range, access: access)
    }

    /// Plugs `block` in as a memory module while the machine runs: one transaction, heard by every listener.
    ///
    /// - Parameters:
    ///   - block: RAM that is not part of the machine yet.
    ///   - address: Where, a multiple of the host's page size; by default the first place above the
    ///     machine's own RAM, on ``moduleAlignment``, that is free.
    /// - Returns: The module, with its range.
    /// - Throws: ``GuestMemoryError/Code/invalidTopology`` naming what is in the way, or what
    ///   ``AddressSpace/transaction(_:)`` throws. Nothing is plugged then.
    @discardableResult
    public func plug(
        _ block: RAMBlock, at address: GuestPhysicalAddress? = nil
    ) throws(GuestMemoryError) -> MemoryModule {
        func refusal(_ reason: String) -> GuestMemoryError {
            let place = address.map { " at \($0)" } ?? ""
            return GuestMemoryError(
                code: .invalidTopology,
                context:
                    "RAM block \(block.name) of \(block.byteCount) cannot be plugged in\(place): \(reason)"
            )
        }
        if block === ram || block === bios || modules.contains(where: { $0.block === block }) {
            throw refusal("it is part of the machine already")
        }
        guard let address = address ?? freeAddress(for: block.byteCount),
            let range = AddressRange(first: address, byteCount: block.byteCount),
            range.last <= Self.lastAddress
        else {
            throw refusal("there is no room up to \(Self.lastAddress); choose a lower address or less RAM")
        }
        guard address.isAligned(to: RAMBlock.hostPageSize) else {
            throw refusal("the address is not a multiple of the host's page size, \(RAMBlock.hostPageSize)")
        }
        if let taken = addressSpace.view.sections.first(where: { $0.range.overlaps(range) }) {
            throw refusal("\(range) overlaps \(taken.regionName) at \(taken.range); choose another address")
        }
        let module = MemoryModule(block: block, range: range, region: .ram(block))
        try addressSpace.transaction { () throws(GuestMemoryError) in
            try addressSpace.add(module.region, at: address)
            changeModules { modules in
                modules.insert(
                    module, at: modules.firstIndex { range.first < $0.range.first } ?? modules.count)
            }
        }
        return module
    }

    /// Takes `block` out of the running machine: one transaction, heard by every listener.
    ///
    /// The caller sees to it that the guest and its devices no longer use it.
    ///
    /// - Throws: ``GuestMemoryError/Code/invalidTopology`` where it is not plugged in, or what
    ///   ``AddressSpace/transaction(_:)`` throws. The module stays plugged in then.
    public func unplug(_ block: RAMBlock) throws(GuestMemoryError) {
        guard let index = modules.firstIndex(where: { $0.block === block }) else {
            throw GuestMemoryError(
                code: .invalidTopology,
                context: "RAM block \(block.name) cannot be unplugged: it is not a module that was plugged in"
            )
        }
        try addressSpace.transaction { () throws(GuestMemoryError) in
            try addressSpace.remove(modules[index].region)
            changeModules { $0.remove(at: index) }
        }
    }

    /// Changes the list of modules as part of the open transaction, which may yet be taken back.
    private func changeModules(_ change: (inout [MemoryModule]) -> Void) {
        let before = modules
        addressSpace.onUndo { [self] in modules = before }
        change(&modules)
    }

    /// The lowest aligned address above the machine's own RAM where `size` bytes are free.
    private func freeAddress(for size: ByteCount) -> GuestPhysicalAddress? {
        let highRAM = ram.byteCount.rawValue - min(ram.byteCount, Self.lowMemoryLimit).rawValue
        var candidate = Self.highMemoryStart.advanced(by: ByteCount(rawValue: highRAM))
        // Modules plugged in an open transaction are not in the view yet.
        let taken = (addressSpace.view.sections.map(\.range) + modules.map(\.range)).sorted {
            $0.first < $1.first
        }
        for range in taken {
            guard let aligned = candidate?.alignedUp(to: Self.moduleAlignment),
                let wanted = AddressRange(first: aligned, byteCount: size)
            else { return nil }
            if range.last < aligned { continue }
            guard range.overlaps(wanted) else { break }
            candidate = range.last.advanced(by: ByteCount(1))
        }
        return candidate?.alignedUp(to: Self.moduleAlignment)
    }
}
