package import VirtioNet

/// What was recorded of the frames at one end of a machine.
package struct PortCapture: Equatable, Sendable {
    package let end: PortEnd
    /// The file, as it was named.
    package let path: String
    package let outcome: CaptureFile.Outcome

    package init(end: PortEnd, path: String, outcome: CaptureFile.Outcome) {
        self.end = end
        self.path = path
        self.outcome = outcome
    }
}

extension EmulatedMachine {
    /// What has been recorded so far, after the workers have written what they had gathered: a system call for each that
    /// records, and nothing where none does. Any moment before ``close()``.
    package func captures() -> [PortCapture] {
        driver.flushCapture()
        simulation?.network.flushCapture()
        let files: [(end: PortEnd, file: CaptureFile?)] = [
            (.guest, driver.capture), (.wire, simulation?.network.capture),
        ]
        return files.compactMap { end, file in
            file.map { PortCapture(end: end, path: $0.path, outcome: $0.outcome) }
        }
    }
}
