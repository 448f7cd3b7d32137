internal import EmulatedMachine
internal import VirtioNet

extension RunReport {
    /// What was recorded of the frames that passed one end's port.
    struct Capture: Codable, Equatable, Sendable {
        /// `guest` or `wire`.
        var end: String
        /// The file, as it was named.
        var file: String
        /// Frames in it.
        var frames: UInt64
        /// Frames that passed and are not in it.
        var unrecorded: UInt64
        /// Why; none where every frame is in the file.
        var failure: String?
    }
}

extension RunReport.Capture {
    init(_ capture: PortCapture) {
        end = capture.end.rawValue
        file = capture.path
        frames = capture.outcome.recorded
        unrecorded = capture.outcome.unrecorded
        failure = capture.outcome.failure.map { "\($0)" }
    }

    /// What is in the file, and why not all of it.
    var words: String {
        let count = "\(NumberText.grouped(frames)) \(frames == 1 ? "frame" : "frames")"
        guard let failure else { return "\(count) of the \(end)'s port in \(file)" }
        return "the capture \(file) of the \(end)'s port broke off after \(count): \(failure)"
    }

    /// The same as something wrong, with what is missing; `nil` where nothing is.
    var problem: String? {
        failure == nil && unrecorded == 0
            ? nil : "\(words); \(NumberText.grouped(unrecorded)) more are not in it"
    }
}
