internal import GuestMemory
internal import VhostVDPA

/// The words of a call behind its verb, each of which is taken once.
struct ScriptWords {
    /// What is done.
    let verb: Substring
    /// What stands as `key=value`, less what was taken.
    private var values: [(key: Substring, value: Substring)] = []
    /// The other words, less what was taken.
    private var bare: [Substring] = []

    init(verb: Substring, _ words: some Sequence<Substring>) throws(ScriptLineError) {
        self.verb = verb
        for word in words {
            let sides = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2 else {
                bare.append(word)
                continue
            }
            guard !has(String(sides[0])) else {
                throw ScriptLineError(reason: "\(ScriptLiteral.shown(sides[0]))= stands twice")
            }
            values.append((sides[0], sides[1]))
        }
    }

    /// The first word that nobody has taken.
    var left: String? { bare.first.map(String.init) ?? values.first.map { "\($0.key)=" } }

    func has(_ key: String) -> Bool { values.contains { $0.key == key } }

    mutating func take(_ key: String) -> Substring? {
        guard let index = values.firstIndex(where: { $0.key == key }) else { return nil }
        return values.remove(at: index).value
    }

    mutating func takeBare() -> Substring? { bare.isEmpty ? nil : bare.removeFirst() }

    mutating func needBare(_ what: String) throws(ScriptLineError) -> Substring {
        guard let word = takeBare() else { throw ScriptLineError(reason: "\(verb) takes \(what)") }
        return word
    }

    mutating func flag(_ word: String) -> Bool {
        guard let index = bare.firstIndex(where: { $0 == word }) else { return false }
        bare.remove(at: index)
        return true
    }

    mutating func fileName() throws(ScriptLineError) -> ScriptName {
        guard let word = takeBare() else { return .device }
        return try ScriptLiteral.name(word)
    }

    mutating func newName() throws(ScriptLineError) -> ScriptName {
        try ScriptLiteral.name(try needBare("a name"))
    }

    mutating func place() throws(ScriptLineError) -> (ScriptName, UInt64) {
        let word = try needBare("a place in memory, as ram+0x1000")
        guard case .memory(let name, let offset) = try ScriptLiteral.pointer(word) else {
            throw ScriptLineError(
                reason: "'\(ScriptLiteral.shown(word))' is no place in memory, as ram+0x1000 is")
        }
        return (name, offset)
    }

    mutating func size() throws(ScriptLineError) -> ByteCount {
        let word = try needBare("a size, as 64K")
        guard let count = ByteCount(parsing: word), count.rawValue > 0 else {
            throw ScriptLineError(reason: "'\(ScriptLiteral.shown(word))' is no size, as 4096, 64K or 2M is")
        }
        return count
    }

    mutating func oneOf<Value: CaseIterable & RawRepresentable<String>>(
        _: Value.Type
    ) throws(ScriptLineError) -> Value {
        let choices = Value.allCases.map(\.rawValue).joined(separator: ", ")
        let word = try needBare("one of \(choices)")
        guard let value = Value(rawValue: String(word)) else {
            throw ScriptLineError(reason: "'\(ScriptLiteral.shown(word))' is none of \(choices)")
        }
        return value
    }

    mutating func milliseconds() throws(ScriptLineError) -> Int {
        let word = try needBare("a time, as 5ms")
        guard word.hasSuffix("ms"), let number = UInt32(word.dropLast(2)) else {
            throw ScriptLineError(reason: "'\(ScriptLiteral.shown(word))' is no time, as 5ms is")
        }
        return Int(number)
    }

    mutating func bytes() throws(ScriptLineError) -> [UInt8] {
        guard let word = take("bytes") else {
            throw ScriptLineError(reason: "\(verb) takes bytes= with two hexadecimal digits for each")
        }
        return try ScriptLiteral.bytes(word)
    }

    mutating func optionalDescriptor() throws(ScriptLineError) -> ScriptDescriptor? {
        switch take("fd") {
        case nil: nil
        case "none": ScriptDescriptor.none
        case "closed": .closed
        case "null": .nullDevice
        case .some(let word): .eventFD(try ScriptLiteral.name(word))
        }
    }

    mutating func takePointer() throws(ScriptLineError) -> ScriptPointer? {
        guard let index = bare.firstIndex(where: { $0.hasPrefix("@") }) else { return nil }
        return try ScriptLiteral.pointer(bare.remove(at: index).dropFirst())
    }

    mutating func optionalPointer(_ key: String) throws(ScriptLineError) -> ScriptPointer {
        guard let word = take(key) else { return .number(HostAddress(rawValue: 0)) }
        return try ScriptLiteral.pointer(word)
    }

    mutating func address(_ key: String) throws(ScriptLineError) -> IOVirtualAddress {
        IOVirtualAddress(rawValue: try needNumber(key))
    }

    mutating func index(_ key: String) throws(ScriptLineError) -> VringIndex {
        VringIndex(rawValue: try number32(key))
    }

    mutating func number32(_ key: String) throws(ScriptLineError) -> UInt32 {
        let number = try needNumber(key)
        guard let number = UInt32(exactly: number) else {
            throw ScriptLineError(reason: "\(key)= takes a number of 32 bits, no \(number)")
        }
        return number
    }

    mutating func needNumber(_ key: String) throws(ScriptLineError) -> UInt64 {
        guard let number = try optionalNumber(key) else {
            throw ScriptLineError(reason: "\(verb) takes \(key)= with a number")
        }
        return number
    }

    mutating func optionalNumber(_ key: String) throws(ScriptLineError) -> UInt64? {
        guard let word = take(key) else { return nil }
        guard let number = ScriptLiteral.number(word) else { throw ScriptLiteral.noNumber(word) }
        return number
    }
}
