internal import VirtioDevice
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
    /// The files of the ends that are recorded.
    private var captureFiles: [(end: PortEnd, file: CaptureFile)] {
        let files: [(end: PortEnd, file: CaptureFile?)] = [
            (.guest, driver.capture), (.wire, simulation?.network.capture),
        ]
        return files.compactMap { end, file in file.map { (end: end, file: $0) } }
    }

    /// Empties the files and has what is recorded written to them. Once, when everything has started that can fail.
    func beginCaptures() throws(MachineError) {
        do throws(PortError) {
            // Those first that lose nothing where another does not begin.
            for (_, file) in captureFiles where !file.overwrites { try file.begin() }
            for (_, file) in captureFiles where file.overwrites { try file.begin() }
        } catch {
            throw .port(error)
        }
    }

    /// What has been recorded so far. The workers hand over what they have gathered, and wait for no file. Any moment
    /// before ``close()``.
    package func captures() -> [PortCapture] {
        driver.flushCapture()
        simulation?.network.flushCapture()
        return outcomes
    }

    private var outcomes: [PortCapture] {
        captureFiles.map { PortCapture(end: $0.end, path: $0.file.path, outcome: $0.file.outcome) }
    }

    /// Ends the workers and then the files, where any end is recorded: what the accounts say from now on is what was
    /// recorded, and the machine can only be closed. A file that does not take it is waited for a second and a half.
    func finishCaptures() -> [PortCapture] {
        let files = captureFiles
        guard !files.isEmpty else { return [] }
        driver.shutdown()
        simulation?.shutdown()
        for (_, file) in files { file.finish() }
        return outcomes
    }
}
