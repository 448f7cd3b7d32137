import GuestMemory
import SystemPackage
import TestSupport
import Testing

@testable import VirtioNet

@Suite("A port whose frames are recorded") struct RecordedPortTests {
    private let guestPlace = CapturePath()
    private let wirePlace = CapturePath()

    private func files(interfaces: Int = 1) throws -> (guest: CaptureFile, wire: CaptureFile) {
        func names(_ end: String) -> [String] { (0..<interfaces).map { "\(end)\($0)" } }
        return (
            try .begun(path: guestPlace.path, interfaces: names("guest")),
            try .begun(path: wirePlace.path, interfaces: names("wire"))
        )
    }

    /// What is recorded once the device is stopped and both sides are ended, with every account balanced and as many
    /// frames in the files as passed.
    private func finish(_ pair: TestPair) throws -> (guest: Capture, wire: Capture) {
        _ = pair.stop()
        pair.driver.synchronise()
        pair.driver.shutdown()
        pair.device.shutdown()
        for file in [pair.driver.capture, pair.device.capture] { file?.finish() }
        let (guest, wire) = (try Capture(guestPlace.path), try Capture(wirePlace.path))
        let (received, sent) = (pair.accounts[0], pair.accounts[1])
        for account in pair.accounts { #expect(account.balances, "\(account)") }
        let (deviceReceived, deviceSent) = (try #require(received.device), try #require(sent.device))
        #expect(guest.count(.outbound) == sent.driver.entered - sent.driver.malformed)
        #expect(guest.count(.inbound) == received.driver.left)
        #expect(wire.count(.outbound) == deviceSent.left)
        #expect(wire.count(.inbound) == deviceReceived.entered - deviceReceived.malformed)
        for capture in [guest, wire] {
            #expect(zip(capture.packets, capture.packets.dropFirst()).allSatisfy { $0.time <= $1.time })
        }
        return (guest, wire)
    }

    /// Holds frames against each other without printing them all where they differ.
    private func expectSame(
        _ frames: [[UInt8]], _ others: [[UInt8]], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let first = zip(frames, others).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        #expect(first == nil && frames.count == others.count, sourceLocation: sourceLocation)
    }

    @Test("has every frame of a loopback at both ends, both ways, across stops and starts")
    func loopback() throws {
        let files = try files()
        let pair = try TestPair(
            guest: .generator.recorded(in: files.guest), wire: .loopback.recorded(in: files.wire))
        try pair.start()
        pair.driver.startTraffic(limit: 20_000)
        for cycle in 1...3 as ClosedRange<UInt64> {
            #expect(pair.awaitReceived(cycle * 1000))
            let bases = pair.stop()
            try pair.start(bases: bases)
        }
        #expect(pair.awaitReceived(20_000))
        let (guest, wire) = try finish(pair)
        for capture in [guest, wire] {
            #expect(capture.count(.outbound) == 20_000 && capture.count(.inbound) == 20_000)
            expectSame(capture.bytes(.outbound), capture.bytes(.inbound))
        }
        expectSame(guest.bytes(.outbound), wire.bytes(.outbound))
        #expect(files.wire.outcome == CaptureFile.Outcome(recorded: 40_000, unrecorded: 0, failure: nil))
    }

    @Test("has what goes out of a wire that ends in nothing")
    func nothing() throws {
        let files = try files()
        let pair = try TestPair(
            guest: .generator.recorded(in: files.guest), wire: .none.recorded(in: files.wire))
        try pair.start()
        pair.driver.startTraffic(limit: 200)
        #expect(eventually { pair.device.counts(1).packets == 200 })
        let (guest, wire) = try finish(pair)
        #expect(wire.count(.outbound) == 200 && wire.count(.inbound) == 0)
        expectSame(guest.bytes(.outbound), wire.bytes(.outbound))
    }

    @Test("has what a guest receives that drops it")
    func dropped() throws {
        let files = try files()
        let port = try DatagramPort()
        let pair = try TestPair(
            guest: .none.recorded(in: files.guest), wire: .tap(port.makeNear()).recorded(in: files.wire))
        try pair.start()
        for number in 0..<20 { #expect(port.send(DatagramPort.frame(100, number: number))) }
        #expect(eventually { pair.driver.counters.receive.packets == 20 })
        let (guest, wire) = try finish(pair)
        #expect(wire.count(.inbound) == 20 && wire.count(.outbound) == 0)
        expectSame(guest.bytes(.inbound), wire.bytes(.inbound))
    }

    @Test("has what passes between two files, and of a frame that is too long the beginning and the length")
    func between() throws {
        let files = try files()
        let (near, far) = (try DatagramPort(), try DatagramPort())
        let pair = try TestPair(
            guest: .tap(near.makeNear()).recorded(in: files.guest),
            wire: .tap(far.makeNear()).recorded(in: files.wire))
        try pair.start()
        let frames = [60, 1514, 5000, 61].map { DatagramPort.frame($0, number: $0) }
        for frame in frames { #expect(near.send(frame) && far.send(frame)) }
        let payloads = frames.map { Array($0.dropFirst(NetworkHeader.byteCount)) }
        for payload in [payloads[0], payloads[1], payloads[3]] {
            #expect(far.awaitPayload() == payload)
            #expect(near.awaitPayload() == payload)
        }
        let (guest, wire) = try finish(pair)
        let whole = [payloads[0], payloads[1], payloads[3]]
        let beginning = Array(payloads[2].prefix(DriverBuffers.defaultStride - NetworkHeader.byteCount))
        expectSame(guest.bytes(.inbound), whole)
        expectSame(wire.bytes(.outbound), whole)
        let cut = [whole[0], whole[1], beginning, whole[2]]
        expectSame(guest.bytes(.outbound), cut)
        expectSame(wire.bytes(.inbound), cut)
        #expect(wire.packets.filter { $0.direction == 1 }.map(\.original) == [60, 1514, 5000, 61])
    }

    @Test("has an interface for each queue pair")
    func pairs() throws {
        let files = try files(interfaces: 2)
        let guest = GuestPort.generator.recorded(in: files.guest)
        let wire = WirePort.loopback.recorded(in: files.wire)
        let frame = DatagramPort.frame(60)
        for port in [0, 1] {
            var guestRecorder = port == 0 ? guest.recorder : try guest.another(port)?.recorder
            var wireRecorder = port == 0 ? wire.recorder : try wire.another(port)?.recorder
            unsafe frame.withUnsafeBytes { bytes in
                unsafe guestRecorder?.record(.outbound, bytes, byteCount: bytes.count)
                unsafe wireRecorder?.record(.inbound, bytes, byteCount: bytes.count)
            }
            // What a writer hands over when it goes is in the file before the next one's.
            guestRecorder = nil
            wireRecorder = nil
            let count = UInt64(port) + 1
            #expect(files.guest.records(count) && files.wire.records(count))
        }
        #expect(try Capture(guestPlace.path).packets.map(\.interface) == [0, 1])
        #expect(try Capture(wirePlace.path).packets.map(\.interface) == [0, 1])
    }

    @Test("records nothing where nobody asked, and its frames count the same where a write is refused")
    func broken() throws {
        #expect(GuestPort.generator.recorder == nil && WirePort.loopback.recorder == nil)
        let reader = try Reader()
        let wire = try CaptureFile.begun(path: reader.path)
        let pair = try TestPair(wire: .loopback.recorded(in: wire))
        try pair.start()
        reader.close()
        pair.driver.startTraffic(limit: 5000)
        #expect(pair.awaitReceived(5000))
        _ = pair.stop()
        pair.driver.synchronise()
        pair.device.shutdown()
        wire.finish()
        for account in pair.accounts { #expect(account.balances, "\(account)") }
        #expect(
            wire.outcome
                == CaptureFile.Outcome(recorded: 0, unrecorded: 10_000, failure: .refused(.brokenPipe))
        )
    }

    @Test(
        "has at the end what its account has, of a guest's file too that is read while the device is stopped")
    func ended() throws {
        let files = try files()
        let near = try DatagramPort()
        let pair = try TestPair(
            guest: .tap(near.makeNear()).recorded(in: files.guest),
            wire: .loopback.recorded(in: files.wire))
        try pair.start()
        _ = pair.stop()
        pair.driver.synchronise()
        for number in 0..<20 {
            #expect(eventually { near.send(DatagramPort.frame(100, number: number)) })
        }
        #expect(eventually { pair.driver.account(1).entered > 0 })
        pair.driver.shutdown()
        let entered = pair.driver.account(1).entered
        files.guest.finish()
        #expect(files.guest.outcome == CaptureFile.Outcome(recorded: entered))
        #expect(try Capture(guestPlace.path).count(.outbound) == entered)
    }

    @Test("that nobody reads holds no frame up: the capture is broken off, and what is in the pipe is whole")
    func stuck() throws {
        let reader = try Reader()
        let wire = try CaptureFile.begun(path: reader.path)
        let pair = try TestPair(wire: .loopback.recorded(in: wire), frameByteCount: 1514)
        try pair.start()
        // More than the pipe and the queue hold.
        pair.driver.startTraffic(limit: 20_000)
        #expect(pair.awaitReceived(20_000))
        _ = pair.stop()
        pair.driver.synchronise()
        pair.device.shutdown()
        wire.finish()
        let outcome = wire.outcome
        #expect(outcome.failure == .behind)
        #expect(outcome.recorded > 0 && outcome.recorded + outcome.unrecorded == 40_000)
        for account in pair.accounts { #expect(account.balances, "\(account)") }
        reader.read()
        #expect(try UInt64(Capture(reader.bytes).packets.count) == outcome.recorded)
    }
}
