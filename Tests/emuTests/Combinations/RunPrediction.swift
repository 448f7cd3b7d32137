import Glibc

/// How `emu run` ends on a simulated device that can be made, with a guest of 64 MiB and three stops.
struct RunPrediction: Equatable {
    let status: Int32
    /// Words that it says, to standard output or error.
    let words: String

    private static let page = 4096
    /// The maps of a PC of 64 MiB in the order in which they are sent: the sections of its RAM and its ROM, of the
    /// smallest of them the last page at the end and by itself, which the device must answer for.
    static let maps = [0xc0000, 0x20000, 0xf000, 0x10000, (64 << 20) - 0x100000, 0x10000, 0x1000]

    init(_ choice: DeviceChoice) {
        let row = FaultRow.row(of: choice)
        // The guest's driver uses all pairs of a device, and has no room for so many in so little memory.
        let driver =
            choice[.queues] == "64" ? RunPrediction(status: 2, words: "the guest's driver needs") : nil
        self = Self.refusal(choice) ?? driver ?? RunPrediction(status: row.status, words: row.words)
    }

    private init(status: Int32, words: String) {
        self.status = status
        self.words = words
    }

    /// The first map that the device refuses.
    private static func refusal(_ choice: DeviceChoice) -> RunPrediction? {
        let pins = !choice.usesVirtualAddresses
        let limit = pins ? lockedBytes(choice) : .max
        let run = choice[.fragment].map(bytes) ?? .max
        var pinned = 0
        var entries = 0
        for (index, size) in maps.enumerated() {
            if size > limit - pinned { return RunPrediction(status: 2, words: "locked memory") }
            pinned += size
            let runs = pins && run != .max ? (size + run - 1) / run : 1
            for _ in 0..<runs {
                if let most = choice.entryLimit, entries == most {
                    return RunPrediction(status: 2, words: "IOTLB entries")
                }
                entries += 1
                if choice[.fault] == "map-half-way", entries == 3 {
                    return RunPrediction(status: 2, words: "_map failed")
                }
            }
            // Outside the batch the device answers for the whole table.
            if choice[.fault] == "set-map", index == maps.count - 1 {
                return RunPrediction(status: 2, words: "the parent driver's set_map failed")
            }
        }
        return nil
    }

    private static func lockedBytes(_ choice: DeviceChoice) -> Int {
        switch choice[.memlock] {
        case "unlimited": return .max
        case let size?: return bytes(size)
        case nil:
            var limit = rlimit()
            guard unsafe getrlimit(__rlimit_resource_t(8), &limit) == 0 else { return 0 }  // RLIMIT_MEMLOCK
            return Int(clamping: limit.rlim_cur)
        }
    }

    private static func bytes(_ text: String) -> Int {
        let shifts: [Character: Int] = ["K": 10, "M": 20, "G": 30]
        guard let shift = text.last.flatMap({ shifts[$0] }) else { return Int(text) ?? 0 }
        return (Int(text.dropLast()) ?? 0) << shift
    }
}
