internal import VhostVDPAConformance

/// The rules of `--only`, by number.
struct RuleSelection: Hashable, Sendable {
    let numbers: Set<Int>

    /// Reads `1,2,3`; a number that no rule has is refused.
    init(parsing text: String) throws(ArgumentError) {
        var numbers: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let number = Int(part) else {
                throw ArgumentError("'\(part)' is no number; give rules as in 1,2,62")
            }
            guard RuleBook.rules.contains(where: { $0.number == number }) else {
                throw ArgumentError("there is no rule \(number); 'emu check --list' prints them")
            }
            numbers.insert(number)
        }
        self.numbers = numbers
    }
}
