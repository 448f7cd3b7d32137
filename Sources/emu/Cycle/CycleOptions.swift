internal import CycleBenchmark
internal import EmulatedMachine
internal import GuestMemory
internal import SimulatedVDPA

extension CycleCommand {
    /// What to measure, or why it cannot be asked for.
    func plan() throws(StartError) -> CyclePlan {
        guard !memory.isEmpty else { throw StartError("--memory: name at least one size, as in 256M,1G") }
        guard !strategy.isEmpty else {
            throw StartError("--strategy: name at least one of \(CycleStrategy.names)")
        }
        guard cycles > 0 else {
            throw StartError("--cycles \(cycles): there is nothing to measure; use 1 or more")
        }
        for size in memory {
            guard size >= RunOptions.minimumMemory, size.isMultiple(of: .mebibytes(1)) else {
                throw StartError(
                    "--memory \(size): use whole megabytes, \(RunOptions.minimumMemory) or more: the guest's"
                        + " driver needs that")
            }
        }
        try checkShape()
        let queuePairs = try QueuePairs(queues, on: deviceOption.device)
        var plan = CyclePlan(
            device: queuePairs.source, deviceName: deviceOption.device.description, memory: memory,
            pages: hugePages.pages, strategies: strategy, cycles: cycles)
        plan.regions = regions
        plan.queuePairs = queuePairs.count
        plan.isFragmented = fragmented
        plan.modelsMissingMemory = modelled
        guard !modelled || plan.canModel else {
            throw StartError(
                "--modelled with \(deviceOption.device): a device that pins memory cannot map what is not there; use a"
                    + " simulated one without use-va=off, or leave --modelled out")
        }
        return plan
    }

    /// The most regions that memory is mapped in.
    static let maximumRegions = 512

    private func checkShape() throws(StartError) {
        if let regions, !(1...Self.maximumRegions).contains(regions) {
            throw StartError("--regions \(regions): use 1 to \(Self.maximumRegions)")
        }
        if fragmented, hugePages != .off {
            throw StartError(
                "--fragmented with --huge-pages: huge pages are contiguous; leave one of them out")
        }
        if fragmented, case .simulated(let device) = deviceOption.device.source, device.usesVirtualAddresses {
            throw StartError(
                "--fragmented with \(deviceOption.device): a device that pins nothing does not care where pages lie;"
                    + " use sim,use-va=off or a real device")
        }
    }
}

extension CycleStrategy {
    /// All names, for messages.
    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    /// Reads names with commas between them, for the parser. A name given twice counts once.
    static func list(argument text: String) throws(ArgumentError) -> [CycleStrategy] {
        var strategies: [CycleStrategy] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let strategy = CycleStrategy(rawValue: String(name)) else {
                throw ArgumentError("use one or more of \(names), with commas between them")
            }
            if !strategies.contains(strategy) { strategies.append(strategy) }
        }
        return strategies
    }
}

extension ByteCount {
    /// Reads sizes with commas between them, for the parser. A size given twice counts once.
    static func list(argument text: String) throws(ArgumentError) -> [ByteCount] {
        var sizes: [ByteCount] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let size = try ByteCount(argument: String(part))
            if !sizes.contains(size) { sizes.append(size) }
        }
        return sizes
    }
}
