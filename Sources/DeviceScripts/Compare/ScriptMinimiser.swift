/// Shortens a script to the fewest steps that still show something.
///
/// First by halves, quarters and so on, which most steps go with, then one by one until none can go (delta debugging,
/// Zeller 2002). A wait for the device stays where something was kicked before it: without it the rest is a race.
public struct ScriptMinimiser {
    /// How often a shorter script may be tried.
    public var attemptLimit = 2000
    /// Whether somebody asks to end: what is shortest so far is the answer.
    public var isInterrupted: () -> Bool = { false }

    /// A minimiser.
    public init() {}

    /// The shortest script found in which `shows` still holds, which it does in `script`. Comments go.
    public func minimise<Failure: Error>(
        _ script: DeviceScript, while shows: (DeviceScript) throws(Failure) -> Bool
    ) throws(Failure) -> DeviceScript {
        var lines = Self.withoutIdleWaits(script.lines.filter { $0.step != nil })
        for index in lines.indices { lines[index].comment = nil }
        var attempts = 0
        var length = max(1, lines.count / 2)
        while true {
            var hasShortened = false
            var start = lines.count - length
            while start > -length {
                guard attempts < attemptLimit, !isInterrupted() else { return DeviceScript(lines: lines) }
                let part = max(0, start)..<min(lines.count, start + length)
                start -= length
                guard !part.isEmpty, part.count < lines.count else { continue }
                let waits = lines[part].filter { $0.step == .settle }
                let shorter = Self.withoutIdleWaits(
                    lines[..<part.lowerBound] + waits + lines[part.upperBound...])
                let candidate = DeviceScript(lines: shorter)
                guard shorter.count < lines.count else { continue }
                // What the script has not made any more it cannot speak of.
                guard (try? candidate.check()) != nil else { continue }
                attempts += 1
                if try shows(candidate) {
                    lines = shorter
                    hasShortened = true
                    start = min(start, lines.count - length)
                }
            }
            if length > 1 {
                length /= 2
            } else if !hasShortened {
                return DeviceScript(lines: lines)
            }
        }
    }

    /// The lines without those waits before which nothing has moved since the wait before.
    private static func withoutIdleWaits(_ lines: some Sequence<DeviceScript.Line>) -> [DeviceScript.Line] {
        var isIdle = true
        return lines.filter { line in
            guard line.step == .settle else {
                if line.step?.mayMove == true { isIdle = false }
                return true
            }
            defer { isIdle = true }
            return !isIdle
        }
    }
}

extension ScriptStep {
    /// Whether a device may have something to do by itself from here on.
    fileprivate var mayMove: Bool {
        switch self {
        case .signal, .ring: true
        case .request(let request, _, _):
            ["SET_VRING_KICK", "SET_VRING_ENABLE", "SET_STATUS", "RESUME"].contains(request.kind?.name)
        default: false
        }
    }
}
