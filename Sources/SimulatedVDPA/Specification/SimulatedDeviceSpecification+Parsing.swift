internal import GuestMemory

/// Reading the text form.
extension SimulatedDeviceSpecification {
    private typealias Key = SimulatedDeviceKey

    /// Reads `sim[,key=value]…`; switches take `on` and `off`, sizes what `ByteCount` reads.
    public init(parsing text: String) throws(SimulatedDeviceSpecificationError) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.first == "sim" else {
            throw SimulatedDeviceSpecificationError(
                .notASimulatedDevice, "'\(text)' is no simulated device: it must begin with 'sim'")
        }
        var values: [Key: String] = [:]
        for part in parts.dropFirst() {
            let (key, value) = try Self.pair(part)
            guard values.updateValue(value, forKey: key) == nil else {
                throw SimulatedDeviceSpecificationError(.repeatedKey, "\(key.rawValue)= is given twice")
            }
        }
        let profile = try values[.profile].map { (text) throws(SimulatedDeviceSpecificationError) in
            try Self.choice(SimulatedDeviceProfile.self, .profile, text)
        }
        let kernel = try values[.kernel].map { (text) throws(SimulatedDeviceSpecificationError) in
            try Self.choice(KernelVersion.self, .kernel, text)
        }
        let parent = try values[.parent].map { (text) throws(SimulatedDeviceSpecificationError) in
            try Self.choice(SimulatedParentKind.self, .parent, text)
        }
        let fault = try values[.fault].map { (text) throws(SimulatedDeviceSpecificationError) in
            try Self.choice(SimulatedFault.self, .fault, text)
        }
        try self.init(
            kernel: kernel ?? .v6_12, parent: parent,
            resetMap: try Self.switchValue(.resetMap, values[.resetMap]),
            compatReset: try Self.switchValue(.compatReset, values[.compatReset]),
            wipeOnReset: try Self.switchValue(.wipeOnReset, values[.wipeOnReset]),
            useVirtualAddresses: try Self.switchValue(.useVA, values[.useVA]),
            queuePairs: try Self.count(.queues, values[.queues]) ?? 1,
            entryLimit: try Self.count(.entries, values[.entries]),
            fragment: try Self.size(.fragment, values[.fragment]),
            memlock: try Self.memlock(values[.memlock]), fault: fault,
            profile: profile ?? .standard)
    }

    private static func pair(
        _ part: Substring
    ) throws(SimulatedDeviceSpecificationError) -> (Key, String) {
        let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let key = halves.first.flatMap({ Key(rawValue: String($0)) }) else {
            throw SimulatedDeviceSpecificationError(
                .unknownKey,
                "'\(part)' is unknown; a simulated device takes "
                    + Key.allCases.map { "\($0.rawValue)=" }.joined(separator: ", "))
        }
        guard halves.count == 2, !halves[1].isEmpty else {
            throw SimulatedDeviceSpecificationError(.invalidValue, "\(key.rawValue)= needs a value")
        }
        return (key, String(halves[1]))
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _: Choice.Type, _ key: Key, _ text: String
    ) throws(SimulatedDeviceSpecificationError) -> Choice {
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw SimulatedDeviceSpecificationError(
                .invalidValue, "\(key.rawValue)=\(text) is unknown; known are \(known)")
        }
        return choice
    }

    private static func switchValue(
        _ key: Key, _ text: String?
    ) throws(SimulatedDeviceSpecificationError) -> Bool? {
        switch text {
        case nil: nil
        case "on": true
        case "off": false
        case let text?:
            throw SimulatedDeviceSpecificationError(
                .invalidValue, "\(key.rawValue)=\(text): must be on or off")
        }
    }

    private static func count(
        _ key: Key, _ text: String?
    ) throws(SimulatedDeviceSpecificationError) -> Int? {
        guard let text else { return nil }
        let isNumber = text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        if isNumber, let count = Int(text) { return count }
        // What `values` says would be true of it, where that names no end.
        let reason =
            isNumber && key == .entries
            ? "too large; \(Int.max) is the most" : "must be \(key.values)"
        throw SimulatedDeviceSpecificationError(.invalidValue, "\(key.rawValue)=\(text): \(reason)")
    }

    private static func memlock(
        _ text: String?
    ) throws(SimulatedDeviceSpecificationError) -> MemlockLimit? {
        if text == "unlimited" { return .unlimited }
        return try size(.memlock, text).map { .bytes($0) }
    }

    private static func size(
        _ key: Key, _ text: String?
    ) throws(SimulatedDeviceSpecificationError) -> Int? {
        guard let text else { return nil }
        do throws(SizeTextError) {
            guard let size = try ByteCount(reading: text).asInt else { throw .tooLarge }
            return size
        } catch {
            let reason =
                switch error {
                case .malformed: "must be a size such as 4K or 1.5M"
                case .tooLarge: "too large; use a size such as 4K or 1.5M"
                }
            throw SimulatedDeviceSpecificationError(.invalidValue, "\(key.rawValue)=\(text): \(reason)")
        }
    }
}
