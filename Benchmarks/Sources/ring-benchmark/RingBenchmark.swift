import CRing
import Glibc
import RingAcross
import RingWithin

/// Both sides of a ring on one thread, beside the same in C with its fields in locals.
///
/// Runs alternate, C then Swift; the figure is the median of the pairs' ratios of time.
@main
struct RingBenchmark {
    static let size = 256
    static let pairs = 15

    static func main() {
        print(
            "split ring of \(size), one buffer per chain, EVENT_IDX; time against C, median of \(pairs) pairs"
        )
        print("payload  module   both   device  driver   C, M chains/s   Swift, M chains/s   (aim)")
        for payload in [64, 1500] {
            let arena = unsafe makeArena()
            unsafe report(arena, payload, "within", aim: 1.05) {
                unsafe RingWithin.runRing($0, payload: $1, rounds: $2)
            }
            unsafe report(arena, payload, "across", aim: 1.2) {
                unsafe RingAcross.runRing($0, payload: $1, rounds: $2)
            }
        }
    }

    static func makeArena() -> ring_arena {
        var arena = unsafe ring_arena()
        arena.size = UInt16(size)
        // As RingGeometry lays it out.
        arena.avail_offset = 16 * size
        arena.used_offset = arena.avail_offset + (6 + 2 * size + 63) / 64 * 64
        arena.ring_bytes = arena.used_offset + (6 + 8 * size + 63) / 64 * 64
        arena.ring_iova = 0x10_0000
        arena.stride = 2048
        arena.buffer_bytes = arena.stride * size
        arena.buffers_iova = 0x1_0000_0000
        func allocate(_ count: Int) -> UnsafeMutablePointer<UInt8> {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 4096)
            return unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: count)
        }
        unsafe arena.ring = allocate(arena.ring_bytes)
        unsafe arena.buffers = allocate(arena.buffer_bytes)
        unsafe arena.sink = allocate(4096)
        return unsafe arena
    }

    static func report(
        _ arena: ring_arena, _ payload: Int, _ module: String, aim: Double,
        _ run: (ring_arena, UInt32, Int) -> ring_times
    ) {
        var arena = unsafe arena
        let rounds = 20_000
        _ = unsafe ring_run_c(&arena, UInt32(payload), 1000)
        _ = unsafe run(arena, UInt32(payload), 1000)
        var both: [Double] = []
        var device: [Double] = []
        var driver: [Double] = []
        var rateC: [Double] = []
        var rateSwift: [Double] = []
        for _ in 0..<pairs {
            let c = unsafe ring_run_c(&arena, UInt32(payload), UInt32(rounds))
            let swift = unsafe run(arena, UInt32(payload), rounds)
            precondition(
                c.chains == swift.chains && c.checksum == swift.checksum, "the two carried different things")
            both.append(Double(swift.device_ns + swift.driver_ns) / Double(c.device_ns + c.driver_ns))
            device.append(Double(swift.device_ns) / Double(c.device_ns))
            driver.append(Double(swift.driver_ns) / Double(c.driver_ns))
            rateC.append(Double(c.chains) * 1000 / Double(c.device_ns + c.driver_ns))
            rateSwift.append(Double(swift.chains) * 1000 / Double(swift.device_ns + swift.driver_ns))
        }
        func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
        func text(_ value: Double, _ digits: Int, _ width: Int) -> String {
            let scale = digits == 2 ? 100.0 : 10.0
            let whole = Int((value * scale).rounded())
            let fraction = String(whole % Int(scale))
            let padded = String(repeating: "0", count: digits - fraction.count) + fraction
            let number = "\(whole / Int(scale)).\(padded)"
            return String(repeating: " ", count: max(0, width - number.count)) + number
        }
        let place = String(repeating: " ", count: 7 - String(payload).count) + "\(payload)"
        print(
            "\(place)  \(module) \(text(median(both), 2, 6)) \(text(median(device), 2, 8)) "
                + "\(text(median(driver), 2, 7)) \(text(median(rateC), 1, 15)) \(text(median(rateSwift), 1, 19)) "
                + "  (\(text(aim, 2, 4)))")
    }
}
