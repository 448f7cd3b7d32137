/// The last calls of a client as text, and those around calls that somebody is to see.
struct CallLog {
    /// How many calls before and behind one are shown.
    private static let before = 3
    private static let behind = 2
    /// How many calls that nobody has asked for again are held.
    private static let heldLimit = 256

    private(set) var count = 0
    private var last: [ClientReport.Call] = []
    private var held: [Int: [ClientReport.Call]] = [:]
    private var order: [Int] = []

    /// Takes the next call.
    mutating func note(_ text: String) {
        count += 1
        let call = ClientReport.Call(number: count, text: text)
        last.append(call)
        if last.count > Self.before + 1 { last.removeFirst() }
        for number in max(1, count - Self.behind)..<count where held[number] != nil {
            held[number]?.append(call)
        }
    }

    /// Keeps the calls around the latest one, in case that somebody comes back to it.
    mutating func hold() {
        guard held[count] == nil else { return }
        held[count] = last
        order.append(count)
        if order.count > Self.heldLimit { held[order.removeFirst()] = nil }
    }

    /// Keeps the calls around `number` for good: of an earlier call than the latest where they are held.
    mutating func keep(_ number: Int) {
        if number == count { hold() }
        order.removeAll { $0 == number }
    }

    /// The calls around `number`, as far as they are known.
    func calls(around number: Int) -> [ClientReport.Call] { held[number] ?? [] }
}
