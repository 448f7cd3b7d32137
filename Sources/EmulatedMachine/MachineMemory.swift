internal import GuestMemory
internal import Logging

/// Makes a machine's memory in the shape that its configuration asks for.
struct MachineMemory {
    private let configuration: MachineConfiguration
    private let logger: Logger
    private let interrupt: RunInterrupt?

    /// `interrupt` ends the filling early.
    init(_ configuration: MachineConfiguration, logger: Logger, interrupt: RunInterrupt? = nil) {
        self.configuration = configuration
        self.logger = logger
        self.interrupt = interrupt
    }

    /// The memory, touched where that is asked for. Nothing is left behind by an error.
    func make() throws(MachineError) -> PCMemoryLayout {
        let shape = try Shape(configuration)
        do throws(GuestMemoryError) {
            // Before there is a block: one larger than the address space would be refused without these words.
            if !configuration.isSparse, configuration.pages != .explicit {
                try RAMBlock.requireAvailableMemory(shape.ram, name: "pc.ram")
            }
            let memory = try PCMemoryLayout(
                memory: shape.ram, pages: configuration.pages, hasFirmware: shape.hasFirmware, logger: logger)
            if configuration.isPrefaulted { try memory.bios.prefault() }
            try fill(memory.ram)
            for (index, size) in shape.modules.enumerated() {
                let block = try RAMBlock.allocate(
                    name: "dimm\(index)", byteCount: size, pages: configuration.pages, logger: logger)
                try memory.plug(block)
                try fill(block)
            }
            return memory
        } catch {
            throw .memory(error)
        }
    }

    private func fill(_ block: RAMBlock) throws(GuestMemoryError) {
        if !configuration.isSparse { try block.requireAvailableMemory() }
        guard configuration.isPrefaulted else { return }
        let isCancelled: @Sendable () -> Bool = { [interrupt] in interrupt?.wasRaised ?? false }
        if configuration.isFragmented {
            try block.prefaultFragmented(isCancelled: isCancelled)
        } else {
            try block.prefault(
                progress: { done, total in logger.info("touching guest memory: \(done) of \(total)") },
                isCancelled: isCancelled)
        }
    }

    /// How memory is divided into the machine's own RAM and modules.
    struct Shape: Hashable {
        let ram: ByteCount
        let hasFirmware: Bool
        let modules: [ByteCount]

        init(_ configuration: MachineConfiguration) throws(MachineError) {
            let memory = configuration.memory
            guard let regions = configuration.regions, regions != Self.regionsOfPC(memory) else {
                (ram, hasFirmware, modules) = (memory, true, [])
                return
            }
            hasFirmware = regions > Self.regionsOfPC(memory)
            guard regions > 1 else {
                (ram, modules) = (memory, [])
                return
            }
            let unit = configuration.pages == .explicit ? PageKind.hugePageSize : RAMBlock.hostPageSize
            ram = ByteCount(rawValue: memory.rawValue / 2 / unit.rawValue * unit.rawValue)
            let count = UInt64(regions - (hasFirmware ? Self.regionsOfPC(ram) : 1))
            let rest = memory.rawValue - ram.rawValue
            let size = rest / count / unit.rawValue * unit.rawValue
            guard size > 0 else {
                throw .unsupported(
                    "\(memory) cannot be in \(regions) regions: half of it is too little for \(count) modules of"
                        + " whole pages (\(unit)); use fewer regions or more memory")
            }
            modules = (0..<count).map { index in
                ByteCount(rawValue: index < count - 1 ? size : rest - size * (count - 1))
            }
        }

        /// The sections that ``PCMemoryLayout`` has with so much memory.
        private static func regionsOfPC(_ memory: ByteCount) -> Int {
            memory > PCMemoryLayout.lowMemoryLimit ? 7 : 6
        }
    }
}
