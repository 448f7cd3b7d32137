internal import CLoopback
internal import Glibc

/// The C baseline of loopback end to end as a command: one run, one JSON object on standard output.
///
/// Exit status 0; 1 where a frame was lost, duplicated or changed, or a ring broke its rules; 2 for bad arguments.
@main
struct LoopbackBenchmark {
    static let usage = """
        usage: loopback-benchmark [--frame-size 64] [--seconds 5] [--batch 256] [--window 256] \
        [--spoil lose|repeat|alter]
        --batch and --window: most frames before they are published, and most on their way, 1 to 256. emu has 256 \
        for both.
        --spoil: the device mishandles one frame, to show that the check finds it.
        """

    static func main() {
        var plan = loopback_plan(
            frame_size: 64, batch: 256, window: 256, nanoseconds: 5_000_000_000, spoil: LOOPBACK_SOUND)
        var arguments = CommandLine.arguments.dropFirst()
        while let name = arguments.popFirst() {
            guard let value = arguments.popFirst(), set(name, value, in: &plan) else {
                fail(usage, status: 2)
            }
        }
        var result = loopback_result()
        let error = loopback_run(&plan, &result)
        let isSound = error == 0 && result.lost == 0 && result.duplicated == 0 && result.corrupted == 0
        print(json(result))
        if error == EPROTO {
            fail("a ring broke its rules", status: 1)
        } else if error != 0 {
            fail("cannot run: \(String(cString: strerror(error)))", status: 2)
        }
        exit(isSound && result.received > 0 ? 0 : 1)
    }

    /// Takes one option; `false` where there is no such option or value.
    static func set(_ name: String, _ value: String, in plan: inout loopback_plan) -> Bool {
        func number(_ range: ClosedRange<UInt32>, _ target: WritableKeyPath<loopback_plan, UInt32>) -> Bool {
            guard let number = UInt32(value), range.contains(number) else { return false }
            plan[keyPath: target] = number
            return true
        }
        switch name {
        case "--frame-size": return number(60...2036, \.frame_size)
        case "--batch": return number(1...256, \.batch)
        case "--window": return number(1...256, \.window)
        case "--seconds":
            guard let seconds = Double(value), seconds > 0, seconds <= 3600 else { return false }
            plan.nanoseconds = UInt64(seconds * 1e9)
            return true
        case "--spoil":
            let kinds = ["lose": LOOPBACK_LOSE, "repeat": LOOPBACK_REPEAT, "alter": LOOPBACK_ALTER]
            guard let kind = kinds[value] else { return false }
            plan.spoil = kind
            return true
        default: return false
        }
    }

    /// The result under the names that `emu run --json` has; times in microseconds.
    static func json(_ result: loopback_result) -> String {
        let microseconds = Double(result.nanoseconds) / 1000
        let throughput = Double(result.received_in_time) * 1e6 / max(microseconds, 1)
        return """
            {"packets": {"sent": \(result.sent), "received": \(result.received), "lost": \(result.lost), \
            "duplicated": \(result.duplicated), "corrupted": \(result.corrupted)}, \
            "runningTime": \(microseconds), "throughput": \(throughput.rounded()), \
            "kicks": \(result.kicks), "calls": \(result.calls), \
            "guestSleeps": \(result.guest_sleeps), "deviceSleeps": \(result.device_sleeps)}
            """
    }

    static func fail(_ message: String, status: Int32) -> Never {
        let line = "loopback-benchmark: \(message)\n"
        _ = write(STDERR_FILENO, line, line.utf8.count)
        exit(status)
    }
}
