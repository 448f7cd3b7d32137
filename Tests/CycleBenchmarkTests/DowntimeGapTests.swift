import EmulatedMachine
import Testing

@testable import CycleBenchmark

@Suite("Downtime")
struct DowntimeGapTests {
    /// Frames that arrive at given times; a wait goes on to the next of them, as far as there is one.
    final class Traffic: FrameArrivals {
        private var arrivals: [UInt64]
        private(set) var now: UInt64 = 0
        private var passed: UInt16 = 65_534

        init(_ arrivals: [UInt64]) { self.arrivals = arrivals }

        var count: UInt16 { passed }

        func change(from count: UInt16) -> UInt64? {
            // One that looked in time sees a frame at once that came before.
            if passed != count { return now }
            guard let next = arrivals.first else { return nil }
            go(to: next)
            return now
        }

        func go(to time: UInt64) {
            while let next = arrivals.first, next <= time {
                arrivals.removeFirst()
                passed &+= 1
            }
            now = time
        }
    }

    private static let timing = CycleTiming(total: 7, phases: [:], span: 7)

    private func measure(_ traffic: Traffic, stop: UInt64, start: UInt64) throws
        -> Result<DowntimeGap, DowntimeGap.Missing>
    {
        try DowntimeGap.measure(
            traffic, stop: { () throws(MachineError) in traffic.go(to: traffic.now + stop) },
            start: { () throws(MachineError) in
                traffic.go(to: traffic.now + start)
                return Self.timing
            })
    }

    @Test("is from the last frame seen before the stop to the first one after it")
    func gap() throws {
        // The stop begins with the frame at 100. Two more come while it goes on; none ends the gap.
        let traffic = Traffic([100, 110, 120, 500, 510])
        #expect(
            try measure(traffic, stop: 50, start: 200).get()
                == DowntimeGap(nanoseconds: 400, timing: Self.timing))
    }

    @Test("waits for a frame before it stops: what came before anybody looked begins no gap")
    func begin() throws {
        let traffic = Traffic([5, 100, 300])
        traffic.go(to: 90)
        #expect(try measure(traffic, stop: 1, start: 1).get().nanoseconds == 200)
    }

    @Test("a frame that comes while the device is started again ends it where it is seen")
    func duringStart() throws {
        let traffic = Traffic([100, 180])
        // It is looked for when the start is over, at 100 + 50 + 100.
        #expect(try measure(traffic, stop: 50, start: 100).get().nanoseconds == 150)
    }

    @Test("without traffic there is none, and which frame is missing is said")
    func missing() throws {
        #expect(try measure(Traffic([]), stop: 1, start: 1) == .failure(.before))
        #expect(try measure(Traffic([100, 110]), stop: 20, start: 1) == .failure(.after))
    }

    @Test("a stop that fails is thrown")
    func failure() {
        #expect(throws: MachineError.self) {
            _ = try DowntimeGap.measure(
                Traffic([1]), stop: { () throws(MachineError) in throw .unsupported("no") },
                start: { () throws(MachineError) in Self.timing })
        }
    }
}
