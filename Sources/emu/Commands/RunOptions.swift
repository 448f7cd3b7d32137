internal import EmulatedMachine
internal import VhostVDPABackend
internal import GuestMemory
internal import SimulatedVDPA
internal import VirtioNet

/// What `emu run` was asked for, checked: the combinations that cannot exist are refused.
struct RunOptions: Sendable {
    let device: DeviceSpecification
    var machine: MachineConfiguration
    let plan: RunPlan
    /// Queue pairs.
    let queues: Int

    /// Lengths a generated frame can have: Ethernet's minimum up to what an MTU of 1500 allows.
    static let frameSizes = 60...1514
    static let standardFrameSize = 64
    static let standardInterval = Duration.milliseconds(200)
    static let standardDuration = Duration.seconds(10)
    /// The least guest RAM: the driver's rings and buffers have their place in it.
    static let minimumMemory = ByteCount.mebibytes(64)
}

extension RunCommand {
    /// The options, or why they cannot be together.
    func options() throws(StartError) -> RunOptions {
        let device = deviceOption.device
        let queuePairs = try QueuePairs(queues, on: device)
        try checkPorts(device)
        try checkNumbers()
        if compare { try checkComparison(device) }
        if !device.isSimulated, persist == .force {
            throw StartError(
                "--persist force with \(device): on a real device, maps that are not kept leave it writing where"
                    + " the guest is not; use a simulated device, or --persist auto")
        }
        var machine = MachineConfiguration(
            memory: memory, pages: hugePages.pages, device: queuePairs.source, guest: guest,
            wire: wire ?? (device.isSimulated ? .loopback : .none), persist: persist ?? .auto,
            frameByteCount: frameSize ?? RunOptions.standardFrameSize)
        machine.queuePairs = queuePairs.count
        machine.lostRings = lostRings
        return RunOptions(
            device: device, machine: machine,
            plan: plan, queues: queuePairs.count)
    }

    /// What nothing else ends ends after a while.
    private var plan: RunPlan {
        let isEndless = (cycles ?? 0) == 0 && packets == nil
        return RunPlan(
            cycles: cycles, interval: interval ?? RunOptions.standardInterval,
            duration: duration ?? (isEndless ? RunOptions.standardDuration : nil), packets: packets)
    }

    private func checkPorts(_ device: DeviceSpecification) throws(StartError) {
        if let wire, !device.isSimulated {
            throw StartError(
                "--wire \(wire) with \(device): a real device has its own wire; leave --wire out")
        }
        if let wire, case .simulated(let specification) = device.kind,
            !specification.profile.kind(for: specification).takesWire
        {
            throw StartError(
                "--wire \(wire) with \(device): the kernel's simulator has no wire, it loops frames back itself;"
                    + " leave --wire out")
        }
        if let wire { try check(wire, at: .wire) }
        try check(guest, at: .guest)
        if let wire, let claim = guest.claims.first(where: wire.claims.contains) {
            throw StartError(
                "--guest \(guest) --wire \(wire): one \(claim.kind) cannot be at both ends; give the wire another"
            )
        }
        let isGenerated = guest.carried(at: .guest) == .generator
        if packets != nil, !isGenerated {
            throw StartError(
                "--packets with --guest \(guest): only the generator counts what it sends; use --duration")
        }
        if let frameSize, !isGenerated {
            throw StartError(
                "--frame-size \(frameSize) with --guest \(guest): only the generator makes frames; leave it out"
            )
        }
    }

    private func check(_ port: PortSpecification, at end: PortEnd) throws(StartError) {
        do throws(PortError) {
            try port.check(at: end)
        } catch {
            throw StartError("--\(end.rawValue) \(port): \(error)")
        }
    }

    private func checkComparison(_ device: DeviceSpecification) throws(StartError) {
        if let persist {
            throw StartError(
                "--persist \(persist.rawValue) with --compare: it runs once with IOTLB_PERSIST and once without; leave"
                    + " --persist out")
        }
        for (end, port) in [(PortEnd.guest, guest), (.wire, wire ?? .loopback)] where port.overwrites != nil {
            throw StartError(
                "--\(end.rawValue) \(port) with --compare: the second run would overwrite what the first has written; leave"
                    + " one of them out")
        }
        if case .descriptor = device.kind {
            throw StartError(
                "--device \(device) with --compare: the first run closes the descriptor, and the second has none; give"
                    + " the device's path")
        }
        if cycles == 0 {
            throw StartError(
                "--cycles 0 with --compare: there is no stop to compare; use 1 or more, or leave --cycles out"
            )
        }
    }

    private func checkNumbers() throws(StartError) {
        if let cycles, cycles < 0 {
            throw StartError("--cycles \(cycles): a run cannot have fewer than none; use 0 or more")
        }
        if let frameSize, !RunOptions.frameSizes.contains(frameSize) {
            throw StartError(
                "--frame-size \(frameSize): a generated frame has \(RunOptions.frameSizes.lowerBound) to"
                    + " \(RunOptions.frameSizes.upperBound) bytes; use 64, say")
        }
        if packets == 0 { throw StartError("--packets 0: there is nothing to send; use 1 or more") }
        if interval == .zero {
            throw StartError("--interval 0s: the device would never run; use 1ms or more")
        }
        if cycles == 0, let interval {
            throw StartError(
                "--interval \(interval.text) with --cycles 0: there is no stop; leave one of them out")
        }
        if duration == .zero {
            throw StartError("--duration 0s: the run would end before it begins; use 1s, say")
        }
        guard memory >= RunOptions.minimumMemory else {
            throw StartError(
                "--memory \(memory): the guest's driver needs \(RunOptions.minimumMemory); give it that or more"
            )
        }
        guard memory.rawValue.isMultiple(of: 1 << 20) else {
            throw StartError("--memory \(memory): guest RAM comes in whole megabytes; use a multiple of 1M")
        }
    }
}
