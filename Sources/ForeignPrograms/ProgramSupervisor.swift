internal import CLinux
package import ClientRules
internal import Glibc
package import Logging
package import SimulatedVDPA
internal import SystemPackage
package import VirtioNet

/// Runs a program, unmodified, that finds simulated devices where it looks for `/dev/vhost-vdpa-N`.
///
/// What the program and its children do to such a file is answered here, by seccomp user notification; everything else
/// goes to the kernel, and the data path is not seen at all: rings and eventfds are shared. It is no security boundary.
/// One thread makes, runs and ends it.
package struct ProgramSupervisor: ~Copyable {
    /// How long after the last close of a descriptor a device is released, at the most, where no call tells of it.
    private static let look: Int32 = 10

    /// The environment variable that tells a program what its devices stand for: `PATH=SPEC`, with `;` between two.
    package static let devicesVariable = "EMU_EXEC_DEVICES"

    private let logger: Logger
    private let current: CurrentCaller
    private let ledger: PinLedger
    private let devices: [ExposedDevice]
    private let numbers: Range<Int32>

    /// Makes `specifications`' devices, the first of which is `/dev/vhost-vdpa-0`, each with a port of `wires`.
    package init(
        _ specifications: [SimulatedDeviceSpecification], logger: Logger,
        wire: (SimulatedDeviceSpecification) throws -> WirePort
    ) throws {
        self.logger = logger
        let (current, ledger) = (CurrentCaller(), PinLedger())
        (self.current, self.ledger) = (current, ledger)
        var generator = SystemRandomNumberGenerator()
        let base = UInt64.random(in: 1..<1 << 40, using: &generator) << 8
        let major = DeviceNode.freeMajor()
        devices = try specifications.enumerated().map { number, specification in
            let pinner = ClientPinner(ledger) { current.caller }
            let device = try SimulatedVDPADevice(
                specification, name: "vdpa\(number)", wire: try wire(specification), pinner: pinner,
                logger: logger)
            return ExposedDevice(
                device, pinner: pinner, number: number, major: major, token: base + UInt64(number))
        }
        let limit = Int32(clamping: clinux_descriptor_limit())
        let end = min(limit, 1024)
        numbers = max(end - 64, end / 2)..<end
    }

    /// Empties the files that the wires' frames are recorded in, now that everything else is there.
    package borrowing func beginCaptures() throws(PortError) {
        for exposed in devices { try exposed.device.network?.capture?.begin() }
    }

    /// Runs `words`, and returns how the program has ended, once it and whatever it has started have.
    ///
    /// The program begins with `signals`. What is `passed` is asked every few milliseconds, and sent to the program;
    /// once `isInterrupted`, nobody is waited for whom it has left behind. The calls on each device go to its observer of
    /// `watching`, and what was found of them to `judged`, at the end.
    package consuming func run(
        _ words: [String], signals: InheritedSignals, watching: ClientWatching,
        passed: () -> [PassedSignal], isInterrupted: () -> Bool,
        judged: ([(path: String, report: ClientReport)]) -> Void
    ) throws(ForeignProgramError) -> ProgramEnd {
        let told = devices.map { "\($0.path)=\($0.device.specification.map(String.init) ?? "")" }
        unsafe setenv(Self.devicesVariable, told.joined(separator: ";"), 1)
        let program = try SupervisedProgram(words, devices: numbers, signals: signals)
        let probe: FileDescriptor
        do {
            probe = try FileDescriptor.open(FilePath("/dev/full"), .readWrite, options: .closeOnExec)
        } catch {
            throw ForeignProgramError(.noDevice, error as? Errno ?? .ioError, program: "/dev/full")
        }
        defer { try? probe.close() }
        VanishedPages.handle()
        var session = ProgramSession(
            devices: devices, numbers: numbers, current: current, ledger: ledger, probe: probe,
            observers: devices.map { watching.observer(of: $0.path) }, logger: logger)
        defer {
            session.end()
            judged(session.judgements())
        }
        var end: ProgramEnd?
        var (nextLook, nextFlush) = (ContinuousClock.now, ContinuousClock.now)
        while true {
            let signals = passed()
            if let end {
                if isInterrupted() { return end }
            } else {
                // Nobody else has its number before its end is taken.
                signals.forEach { program.pass($0) }
            }
            switch program.next(milliseconds: Self.look) {
            case .call(let call): session.take(call, of: program)
            case .nothing: break
            case .ended: return end ?? program.awaitEnd()
            }
            let now = ContinuousClock.now
            if now >= nextLook {
                session.releaseClosed()
                nextLook = now.advanced(by: .milliseconds(Int64(Self.look)))
            }
            if now >= nextFlush {
                session.flushCaptures()
                nextFlush = now.advanced(by: .seconds(1))
            }
            if let ended = program.takeEnd() { end = ended }
        }
    }
}
