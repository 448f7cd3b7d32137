/// What one book costs at one size, in nanoseconds an operation; an invalidate as a whole.
struct Costs {
    var find = 0.0
    var insert = 0.0
    /// By the width in entries, as `widths` has them.
    var remove: [Double] = []
}

/// Fills a book in random order, then looks up, invalidates and fills in again at random places.
func measure<B: Book>(_: B.Type, _ size: Int) -> Costs {
    var generator = Generator(state: 0x5eed)
    var costs = Costs()
    let book = B()
    let order = (0..<UInt64(size)).shuffled(using: &generator)
    for page in order { book.insert(page) }

    let rounds = 9
    let asked = (0..<20_000).map { _ in UInt64.random(in: 0..<UInt64(size), using: &generator) }
    var sum: UInt64 = 0
    costs.find = median(rounds) {
        nanoseconds { for page in asked { sum &+= book.find(Layout.first(page) + 77) } } / Double(asked.count)
    }
    guard sum == asked.reduce(0, { $0 &+ Layout.host($1) }) &* UInt64(rounds) else {
        fatalError("\(B.name): a look-up went wrong")
    }

    var inserting: [Double] = []
    for width in widths {
        guard width < UInt64(size) else {
            costs.remove.append(0)
            continue
        }
        let places = (0..<200).map { _ in UInt64.random(in: 0...UInt64(size) - width, using: &generator) }
        var put = 0.0
        let cost = median(rounds) {
            var taken = 0.0
            for place in places {
                var count = 0
                taken += nanoseconds { count = book.remove(place, count: width) }
                guard count == width else { fatalError("\(B.name): \(count) of \(width) went") }
                put += nanoseconds { for page in place..<place + width { book.insert(page) } }
            }
            return taken / Double(places.count)
        }
        costs.remove.append(cost)
        inserting.append(put / Double(rounds * places.count) / Double(width))
    }
    costs.insert = inserting.last ?? 0
    return costs
}

private func nanoseconds(_ body: () -> Void) -> Double {
    let clock = ContinuousClock()
    let time = clock.measure(body).components
    return Double(time.seconds) * 1e9 + Double(time.attoseconds) / 1e9
}

private func median(_ rounds: Int, _ body: () -> Double) -> Double {
    (0..<rounds).map { _ in body() }.sorted()[rounds / 2]
}

/// SplitMix64: the same places for every book and every run. `SeededRandom` is no product, and another package has
/// only those.
struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
