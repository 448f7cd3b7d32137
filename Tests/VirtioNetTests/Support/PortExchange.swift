import TestSupport
import Testing

@testable import VirtioNet

/// A driver and a device between two ports, and frames that go in at both.
struct PortExchange {
    let pair: TestPair
    private let guest, wire: DatagramPort

    init(bufferStride: Int = DriverBuffers.defaultStride) throws {
        (guest, wire) = (try DatagramPort(), try DatagramPort())
        pair = try TestPair(
            guest: .tap(guest.makeNear()), wire: .tap(wire.makeNear()), bufferStride: bufferStride)
    }

    /// Sends these frames in at both ends, sees the last of them come out first at both, and ends with every account
    /// balanced. Those on the wire wait for the start: the device reads them in one batch.
    func exchange(_ frames: [[UInt8]], sourceLocation: SourceLocation = #_sourceLocation) throws {
        for frame in frames {
            #expect(wire.send(frame), sourceLocation: sourceLocation)
        }
        try pair.start()
        for frame in frames {
            #expect(guest.send(frame), sourceLocation: sourceLocation)
        }
        let last = try #require(frames.last, sourceLocation: sourceLocation)
        let payload = Array(last.dropFirst(NetworkHeader.byteCount))
        #expect(wire.awaitPayload() == payload, sourceLocation: sourceLocation)
        #expect(guest.awaitPayload() == payload, sourceLocation: sourceLocation)
        _ = pair.stop()
        pair.driver.synchronise()
        for account in pair.accounts {
            #expect(account.balances, "\(account)", sourceLocation: sourceLocation)
        }
    }
}
