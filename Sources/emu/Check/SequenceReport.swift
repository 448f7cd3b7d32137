internal import EmulatedMachine
internal import Logging
internal import SimulatedConformance
internal import SimulatedVDPA
internal import Synchronization
internal import SystemPackage
internal import VhostVDPAConformance

/// What `emu check --sequences` prints.
struct SequenceReport: JSONResult, Codable, Equatable, Sendable {
    static let schema = JSONSchema.checkSequences

    /// The first sequence that went another way than plain arrays say, shrunk.
    struct Failure: Codable, Equatable, Sendable {
        /// `--sequences 1 --seed` with this runs the whole sequence again. Its decimal digits, as the other one.
        var seed: String
        var operations: [String]
        /// The index of the operation that differs; their number where it is the close at the end.
        var step: Int
        var expected: String
        var seen: String
    }

    var device: String
    /// The first sequence's, in decimal digits: what reads JSON may have no more than 53 bits for a number.
    var seed: String
    /// How many were asked for, and how many of them went as plain arrays say.
    var sequences: Int
    var passed: Int
    var operationsEach: Int
    /// Whether somebody asked the check to end before its end.
    var interrupted: Bool
    var failure: Failure?

    /// Runs `count` sequences, or as many as there is time for before `interrupt`.
    init(
        _ device: DeviceSpecification, count: Int, seed: UInt64, interrupt: RunInterrupt
    ) throws(StartError) {
        guard case .simulated(let specification) = device.kind else {
            throw StartError(
                "--sequences compares what is inside the device, so it takes a simulated one (--device sim…)")
        }
        try device.checkMachine()
        self.device = device.description
        self.seed = "\(seed)"
        sequences = count
        passed = 0
        interrupted = false
        operationsEach = SequenceSuite.length
        // Refusals are what a random sequence is full of.
        var logger = Logger(label: "emu")
        logger.logLevel = .critical
        let quiet = logger
        // Read once, after the suite has made its pages, instead of at every message.
        let mappings = KnownMappings()
        var passed = 0
        do {
            let suite = try SequenceSuite(
                profile: MapProfile(specification), isInterrupted: { interrupt.wasRaised }
            ) {
                try DeviceOpener.simulation(
                    specification, movesFrames: false,
                    pinner: AccountingPinner(mappings: { _ throws(Errno) in try mappings.get() }),
                    mappings: { _ throws(Errno) in try mappings.get() }, logger: quiet)
            }
            try suite.run(seed: seed, count: count) { passed = $0 }
            interrupted = passed < count
        } catch let failure as SequenceSuite.Failure {
            self.failure = Failure(
                seed: "\(failure.seed)", operations: failure.operations.map(\.description),
                step: failure.step,
                expected: failure.expected, seen: failure.seen)
        } catch {
            throw StartError("the sequences could not be run: \(error)")
        }
        self.passed = passed
    }

    /// What the command says with its status: a check that is not over has not found that all is well.
    var status: ExitStatus { failure == nil && !interrupted ? .done : .foundSomethingWrong }

    /// The same for a person.
    var text: String {
        let count = NumberText.grouped(sequences)
        let rest = "sequences of \(operationsEach) operations from seed \(seed)"
        guard !interrupted else {
            return
                "\(device): \(NumberText.grouped(passed)) of \(count) \(rest): every errno, both views and the pins as"
                + " plain arrays say\nINTERRUPTED: the sequences that were not run may differ"
        }
        let what = "\(device): \(count) \(rest)"
        guard let failure else { return what + ": every errno, both views and the pins as plain arrays say" }
        let steps = failure.operations.enumerated().map { "  \($0 == failure.step ? ">" : " ") \($1)" }
        return
            ([what + ": seed \(failure.seed) differs; the shortest part of it that does:"] + steps + [
                "    expected  \(failure.expected)", "    seen      \(failure.seen)",
            ]).joined(separator: "\n")
    }
}

/// The process's memory as it was when somebody first asked.
private final class KnownMappings: Sendable {
    private let known = Mutex<ProcessMappings?>(nil)

    func get() throws(Errno) -> ProcessMappings {
        if let mappings = known.withLock({ $0 }) { return mappings }
        let mappings = try ProcessMappings.read()
        known.withLock { $0 = mappings }
        return mappings
    }
}
