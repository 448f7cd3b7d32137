/// Sets of devices to ask for.
enum DeviceChoices {
    typealias Key = DeviceChoice.Key

    /// The values of each key that are tried: every one where there are few, else those at an edge. The sizes are of
    /// a guest of 64 MiB: its memory and ROM take 67,174,400 bytes, in seven maps.
    static let values: [Key: [String]] = [
        .kernel: ["6.1", "6.12", "7.2", "7.3"],
        .parent: ["set-map", "dma-map", "mlx5", "platform", "stateful", "vp-vdpa", "vendor", "vduse"],
        .resetMap: ["on", "off"], .compatReset: ["on", "off"], .wipeOnReset: ["on", "off"],
        .useVA: ["on", "off"], .queues: ["1", "2", "64"], .entries: ["6", "7", "2048"],
        .fragment: ["4K", "2M", "1G"],
        .memlock: ["16M", "67170304", "67174400", "unlimited"],
        .profile: ["standard", "vdpasim-net", "qemu-net"],
        .fault: ["loses-maps", "set-map", "map-half-way", "suspend", "late", "dies"],
    ]

    /// Every combination of the keys that decide about a map, each also left out.
    static let exhaustive: [DeviceChoice] = product([.kernel, .parent, .useVA, .memlock, .entries])

    static func product(_ keys: [Key]) -> [DeviceChoice] {
        keys.reduce([DeviceChoice()]) { choices, key in
            choices.flatMap { choice in
                ([nil] + (values[key] ?? []).map(Optional.some)).map { value in
                    var more = choice
                    more[key] = value
                    return more
                }
            }
        }
    }

    /// Two keys with a value each.
    private struct Pair: Hashable {
        let first: Key
        let firstValue: String
        let second: Key
        let secondValue: String
    }

    /// Devices in which every two values of different keys stand together at least once; in a device that can be made,
    /// where those two can.
    static let pairwise: [DeviceChoice] = {
        var open = Set(pairs)
        var choices: [DeviceChoice] = []
        for pair in pairs where open.contains(pair) {
            let choice = widen(pair, open)
            choices.append(choice)
            open.subtract(covered(by: choice))
            open.remove(pair)
        }
        return choices
    }()

    /// Every pair there is, in a fixed order.
    private static let pairs: [Pair] = {
        var list: [Pair] = []
        let keys = Key.allCases
        for (index, first) in keys.enumerated() {
            for second in keys[(index + 1)...] {
                for firstValue in values[first] ?? [] {
                    for secondValue in values[second] ?? [] {
                        list.append(
                            Pair(
                                first: first, firstValue: firstValue, second: second, secondValue: secondValue
                            ))
                    }
                }
            }
        }
        return list
    }()

    private static func covered(by choice: DeviceChoice) -> Set<Pair> {
        guard Contradiction.all(of: choice).isEmpty else { return [] }
        let keys = Key.allCases.filter { choice[$0] != nil }
        var found: Set<Pair> = []
        for (index, first) in keys.enumerated() {
            for second in keys[(index + 1)...] {
                guard let firstValue = choice[first], let secondValue = choice[second] else { continue }
                found.insert(
                    Pair(first: first, firstValue: firstValue, second: second, secondValue: secondValue))
            }
        }
        return found
    }

    /// A device with `pair` that can be made and has as many pairs of `open` as one finds key by key; the bare pair
    /// where none can.
    private static func widen(_ pair: Pair, _ open: Set<Pair>) -> DeviceChoice {
        let bare = DeviceChoice([pair.first: pair.firstValue, pair.second: pair.secondValue])
        guard var choice = possible(bare) else { return bare }
        for key in Key.allCases where choice[key] == nil {
            var best = (choice: choice, count: 0)
            for value in values[key] ?? [] {
                var wider = choice
                wider[key] = value
                guard Contradiction.all(of: wider).isEmpty else { continue }
                let count = covered(by: wider).intersection(open).count
                if count > best.count { best = (wider, count) }
            }
            choice = best.choice
        }
        return choice
    }

    /// The choice, with one or two keys more where it takes them: a pair such as entries= and reset-map=off may need
    /// use-va=off, or another parent or kernel.
    private static func possible(_ choice: DeviceChoice) -> DeviceChoice? {
        let helpers = product([.parent, .useVA, .kernel, .resetMap])
        for helper in helpers {
            var wider = choice
            for (key, value) in helper.values where wider[key] == nil { wider[key] = value }
            if Contradiction.all(of: wider).isEmpty { return wider }
        }
        return nil
    }
}
