import Logging
import SystemPackage
import Testing
import VirtioNet

@testable import EmulatedMachine
@testable import emu

@Suite struct ConsoleTests {
    /// What `body` writes to a console.
    private func output(isTerminal: Bool, _ body: (Console) -> Void) throws -> String {
        let (reading, writing) = try FileDescriptor.pipe()
        body(Console(descriptor: writing, isTerminal: isTerminal))
        try writing.close()
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe reading.read(into: $0) }
        try reading.close()
        return String(decoding: bytes[0..<count], as: UTF8.self)
    }

    @Test("The live line is rewritten, and a message stands above it")
    func liveLine() throws {
        let text = try output(isTerminal: true) { console in
            console.showLive("one")
            console.print("message")
            console.showLive("two")
            console.showLive("")
            console.showLive("")
        }
        let erase = "\r\u{1b}[K"
        #expect(text == "\(erase)one\(erase)message\none\(erase)two\(erase)")
    }

    @Test("Where nobody watches there is no live line")
    func noLiveLine() throws {
        let text = try output(isTerminal: false) { console in
            console.showLive("one")
            console.print("message")
            console.showLive("")
        }
        #expect(text == "message\n")
    }

    @Test("A log line names its level, its source and its values in one order")
    func logLine() throws {
        let text = try output(isTerminal: false) { console in
            var logger = Logger(label: "vhost-vdpa") { ConsoleLogHandler(label: $0, console: console) }
            logger.logLevel = .info
            logger[metadataKey: "device"] = "sim"
            logger.info("negotiated", metadata: ["b": "2", "a": "1"])
            logger.debug("unseen")
        }
        #expect(text == "info vhost-vdpa: negotiated a=1 b=2 device=sim\n")
    }

    @Test("The live line shows the rates of the last second")
    func lastSecond() {
        func progress(_ seconds: Int, _ packets: UInt64) -> RunProgress {
            var counts = QueueCounts()
            counts.packets = packets
            return RunProgress(
                elapsed: .seconds(seconds), cycles: 1200, frames: FrameCounts(), received: counts,
                transmitted: counts, faults: 3)
        }
        let line = LiveProgress.line(progress(3, 5_000_000), since: progress(2, 2_000_000))
        #expect(line == "3 s  sent 3 M packets/s  received 3 M packets/s  1,200 cycles  3 faults")
        #expect(LiveProgress.line(progress(1, 500), since: nil).contains("sent 500 packets/s"))
    }
}
