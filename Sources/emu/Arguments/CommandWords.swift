/// What is looked at in a command line before the parser sees it, because the parser's own answer would not help.
struct CommandWords {
    /// The names of the commands.
    let commands: [String]

    /// The words as the parser is to have them, or why they cannot be used.
    func prepared(_ words: [String]) throws(StartError) -> [String] {
        try checkCommand(words)
        let own = Self.own(words)
        let joined = Self.joiningNegativeNumbers(own)
        try Self.checkRepetitions(joined, of: command(own))
        return joined + words.dropFirst(own.count)
    }

    /// The words before `--`: those behind it are another program's.
    static func own(_ words: [String]) -> [String] { Array(words.prefix { $0 != "--" }) }

    /// The command that `words` name, if they name one.
    func command(_ words: [String]) -> String? { words.first { commands.contains($0) } }

    private func checkCommand(_ words: [String]) throws(StartError) {
        guard let name = words.first == "help" ? words.dropFirst().first : words.first,
            !name.hasPrefix("-"), !commands.contains(name), name != "help"
        else { return }
        let near = commands.min { $0.distance(to: name) < $1.distance(to: name) }
        let guess = near.flatMap { $0.distance(to: name) <= 2 ? " did you mean '\($0)'?" : nil } ?? ""
        throw StartError(
            "'\(name)' is no command:\(guess) the commands are \(commands.joined(separator: ", ")); see 'emu --help'"
        )
    }

    /// `--cycles -1` as `--cycles=-1`: the parser takes `-1` for an option, and says that a value is missing.
    private static func joiningNegativeNumbers(_ words: [String]) -> [String] {
        var joined: [String] = []
        for word in words {
            if let option = joined.last, option.hasPrefix("--"), !option.contains("="), option != "--",
                word.hasPrefix("-"), let second = word.dropFirst().first, second.isNumber || second == "."
            {
                joined[joined.count - 1] = option + "=" + word
            } else {
                joined.append(word)
            }
        }
        return joined
    }

    /// Of an option given twice the parser takes the last value and says nothing of the first.
    private static func checkRepetitions(_ words: [String], of command: String?) throws(StartError) {
        var seen: [Substring: String] = [:]
        for (index, word) in words.enumerated() where word.hasPrefix("--") {
            let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let next = words.dropFirst(index + 1).first
            let following = next.flatMap { $0.hasPrefix("--") ? nil : $0 }
            // Without a value it is a flag, which says the same twice.
            guard let value = halves.count == 2 ? String(halves[1]) : following else { continue }
            if command == "exec", halves[0] == "--device" { continue }  // one for each device
            if let earlier = seen.updateValue(value, forKey: halves[0]) {
                throw StartError("\(halves[0]) is given twice, as \(earlier) and as \(value); give it once")
            }
        }
    }
}

extension String {
    /// How many letters have to be changed, left out or put in to make `other` of it (Levenshtein).
    fileprivate func distance(to other: String) -> Int {
        let other = Array(other)
        var row = Array(0...other.count)
        for (index, letter) in enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in other.indices {
                let change = diagonal + (letter == other[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = Swift.min(change, row[column] + 1, diagonal + 1)
            }
        }
        return row[other.count]
    }
}
