internal import EmulatedMachine
internal import LinuxHost
internal import Logging
internal import SimulatedVDPA
internal import SystemPackage
internal import VDUSE
internal import Virtio
internal import VirtioDevice
internal import VirtioNet

/// One `emu vduse` from checked options to exit status: the network card of a simulated device, served through VDUSE.
struct VDUSESession {
    let name: VDUSEName
    let wire: PortSpecification
    let output: OutputOptions
    let interrupt: RunInterrupt

    /// Serves the device until somebody asks for an end, and reports.
    func run() throws(StartError) -> ExitStatus {
        let report = try serve()
        if output.json { Console.output(JSONText.encode(report)) }
        output.print(VDUSESummary(report).text)
        return report.problems.isEmpty ? .done : .foundSomethingWrong
    }

    private func serve() throws(StartError) -> VDUSEReport {
        let logger = output.makeLogger()
        let card = NetworkCard()
        let control = try start { () throws(VDUSEError) in try VDUSEControl() }
        let events = try start { () throws(Errno) in try ServiceEvents() }
        let network = try makeNetwork(card, events, logger)
        defer { network.shutdown() }
        // From here on there is something that a signal must not leave behind.
        interrupt.enter("\(name) to be given up")
        let description = VDUSEDescription(card)
        let file = try start { () throws(VDUSEError) in try control.open(name, description) }
        let isNew = file.isNew
        var service: VDUSEService<VDUSEDeviceFile>
        do throws(Errno) {
            service = try VDUSEService(file, description, dataPath: network, events: events, logger: logger)
        } catch {
            throw StartError("an eventfd is needed and could not be made: \(Shortage.words(error))")
        }
        if !isNew { try start { () throws(VDUSEError) in try service.takeOver() } }
        try start { () throws(PortError) in try network.capture?.begin() }
        tellWhatToDo(isNew: isNew, isRunning: service.isRunning)
        var report = VDUSEReport(name: "\(name)", wire: "\(wire)", wasTakenOver: !isNew)
        var watch = VDUSEWatch(network: network, wire: wire)
        do throws(VDUSEError) {
            let ending = try service.serve(until: interrupt.descriptor) { watch.look() }
            if case .failed(let failure) = ending { report.problems.append("\(failure)") }
        } catch {
            report.problems.append("\(error)")
        }
        report.starts = service.startCount
        service.end()
        network.shutdown()
        network.capture?.finish()
        report.outcome = giveUp(control)
        report.take(network)
        return report
    }

    private func makeNetwork(
        _ card: NetworkCard, _ events: ServiceEvents, _ logger: Logger
    ) throws(StartError) -> any NetworkDataPath {
        let port = try start { () throws(PortError) in
            try WirePort(opening: wire, queuePairs: card.queues.pairs) { logger.warning("\($0)") }
        }
        do {
            let path = try card.makeDataPath(name: "\(name)", wire: port) { events.append($0) }
            guard let network = path as? any NetworkDataPath else {
                preconditionFailure("a network card carries frames")
            }
            return network
        } catch {
            throw StartError("the network card's worker could not be started: \(error)")
        }
    }

    /// Removes the device, where the bus has it no more.
    private func giveUp(_ control: borrowing VDUSEControl) -> VDUSEReport.Outcome {
        do throws(VDUSEError) {
            try control.remove(name)
            return .removed
        } catch {
            return error.code == .inUse ? .attached : .gone
        }
    }

    private func tellWhatToDo(isNew: Bool, isRunning: Bool) {
        let state =
            isNew
            ? "/dev/vduse/\(name) is there; attach it with 'vdpa dev add mgmtdev vduse name \(name)'"
            : "going on with /dev/vduse/\(name), which is attached; its driver "
                + (isRunning ? "runs" : "does not run yet")
        Console.shared.print("emu: \(state)")
    }

    /// What `body` gives; its failure is why nothing starts.
    private func start<Value: ~Copyable, Failure: Error & CustomStringConvertible>(
        _ body: () throws(Failure) -> Value
    ) throws(StartError) -> Value {
        do throws(Failure) {
            return try body()
        } catch {
            throw StartError("\(error)")
        }
    }
}

extension VDUSEDescription {
    /// The network card as VDUSE has it.
    init(_ card: NetworkCard) {
        self.init(
            deviceID: card.deviceID, features: card.features, dataPathFeatures: card.dataPathFeatures,
            queueCount: card.queues.count, maximumQueueSize: card.maximumQueueSize,
            configuration: card.configuration)
    }
}
